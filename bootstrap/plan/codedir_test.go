package plan

import (
	"slices"
	"strings"
	"testing"

	"entrain/contract"
)

// TestCodeThatAChannelBrings: the channel "code" is the code directory where it has files and ROOT/code does
// not have the program. A command starts there if it names a file that only the channel has.
func TestCodeThatAChannelBrings(t *testing.T) {
	const channel, own = "/opt/ml/input/data/code", "/opt/ml/code"
	const submits = `{"sagemaker_submit_directory":"/opt/ml/code"}`
	program, ours := "SAGEMAKER_PROGRAM=train.py", []string{"python3", "train.py"}
	for _, c := range []struct {
		name, hp string
		words    []string
		env      []string
		there    []string
		dir      string
		argv     []string
	}{
		{
			"in the channel", "{}", nil,
			[]string{program},
			[]string{channel + "/train.py"},
			channel,
			[]string{"python3", channel + "/train.py"},
		},
		{
			"in both", "{}", nil,
			[]string{program},
			[]string{channel + "/train.py", own + "/train.py"},
			own,
			[]string{"python3", own + "/train.py"},
		},
		{
			"another directory is asked for", submits, nil,
			[]string{program},
			[]string{channel + "/train.py", own + "/other"},
			own,
			[]string{"python3", own + "/train.py"},
		},
		{
			"an archive", "{}", nil,
			[]string{program},
			[]string{channel + "/sourcedir.tar.gz"},
			own,
			[]string{"python3", own + "/train.py"},
		},
		{
			"an archive beside the program", "{}", nil,
			[]string{program},
			[]string{channel + "/sourcedir.tar.gz", channel + "/train.py"},
			channel,
			[]string{"python3", channel + "/train.py"},
		},
		{
			"a command", "{}", nil,
			[]string{"ENTRAIN_COMMAND=python3 train.py"},
			[]string{channel + "/train.py"},
			channel, ours,
		},
		{
			"a module", "{}", nil,
			[]string{"ENTRAIN_COMMAND=python3 -m train.main"},
			[]string{channel + "/train"},
			channel,
			[]string{"python3", "-m", "train.main"},
		},
		{"words", "{}", ours, nil, []string{channel + "/train.py"}, channel, ours},
		{"words of the image", "{}", ours, nil, []string{channel + "/train.py", "/work/train.py"}, "/work", ours},
		{
			"words without a file", "{}",
			[]string{"train"},
			nil,
			[]string{channel + "/train"},
			"/work",
			[]string{"train"},
		},
	} {
		in := photographJob(t, c.hp, alone, c.env...)
		in.Snapshot.Files[contract.InputDataFile] = contract.File{Data: []byte(`{"code":{}}`)}
		in.Job, _ = contract.Load(in.Snapshot)
		in.Snapshot.Data = map[string]contract.Entry{"code": {Kind: contract.KindDir}}
		in.Snapshot.Paths = map[string]contract.Entry{}
		for _, path := range c.there {
			in.Snapshot.Paths[path] = contract.Entry{Kind: contract.KindFile}
		}
		p, err := in.Plan(options(c.words...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if p.Command.Dir != c.dir || !slices.Equal(p.Command.Argv, c.argv) {
			t.Errorf("%s: %q in %s, want %q in %s", c.name, p.Command.Argv, p.Command.Dir, c.argv, c.dir)
		}
	}
}

// TestCommandThatIsAScriptOfAChannel: a channel's files have no x bit, so their interpreter starts them, also
// where the name has no slash and PATH lacks it.
func TestCommandThatIsAScriptOfAChannel(t *testing.T) {
	const channel = "/opt/ml/input/data/code"
	bash, elf := contract.Entry{Shebang: []string{"/bin/bash"}}, contract.Entry{ELF: true}
	for _, c := range []struct {
		file  string
		entry contract.Entry
		words []string
		dir   string
		argv  []string
		check string
	}{
		{"train.sh", bash, []string{"./train.sh", "1"}, channel, []string{"/bin/bash", "./train.sh", "1"}, ""},
		{"train.sh", bash, []string{"train.sh", "1"}, channel, []string{"/bin/bash", "./train.sh", "1"}, ""},
		{
			"train.sh", bash,
			[]string{channel + "/train.sh"},
			"/work",
			[]string{"/bin/bash", channel + "/train.sh"},
			"",
		},
		{"train.sh", contract.Entry{}, []string{"train.sh"}, channel, []string{"/bin/sh", "./train.sh"}, ""},
		{"train.py", contract.Entry{}, []string{"./train.py"}, channel, []string{"python3", "./train.py"}, ""},
		{
			"train.py",
			contract.Entry{Shebang: []string{"/usr/bin/env", "python3"}},
			[]string{"train.py"},
			channel,
			[]string{"/usr/bin/env", "python3", "./train.py"},
			"",
		},
		{
			"train.sh", bash,
			[]string{"${SM_CHANNEL_CODE}/train.sh", "${SM_HOSTS}"},
			"/work",
			[]string{"/bin/bash", channel + "/train.sh", `["algo-1"]`},
			"",
		},
		{
			"train.sh",
			contract.Entry{Marked: true},
			[]string{"./train.sh"},
			channel,
			[]string{"./train.sh"},
			"without a byte order mark",
		},
		{"in-path", bash, []string{"in-path"}, "/work", []string{"in-path"}, ""},
		{"prog", elf, []string{"./prog"}, channel, []string{"./prog"}, "put a program into the image"},
		{
			"train.sh",
			contract.Entry{Shebang: []string{"/bin/bash\r"}, NoInterpreter: true},
			[]string{"train.sh"},
			channel,
			[]string{"./train.sh"},
			"save it with the line ends of Unix",
		},
	} {
		in := photographJob(t, "{}", alone)
		in.Snapshot.Files[contract.InputDataFile] = contract.File{Data: []byte(`{"code":{}}`)}
		in.Job, _ = contract.Load(in.Snapshot)
		in.Snapshot.Data = map[string]contract.Entry{"code": {Kind: contract.KindDir}}
		c.entry.Kind, c.entry.Unrunnable = contract.KindFile, "is not executable"
		in.Snapshot.Programs = map[string]bool{c.words[0]: c.words[0] == "in-path", "python3": true}
		in.Snapshot.Paths = map[string]contract.Entry{
			channel + "/" + c.file: c.entry, "/bin/sh": {Kind: contract.KindFile},
		}
		p, err := in.Plan(options(c.words...))
		if err != nil || p.Command.Dir != c.dir || !slices.Equal(p.Command.Argv, c.argv) {
			t.Errorf("%q: %v, %v, want %q in %s", c.words, p, err, c.argv, c.dir)
		}
		hint := ""
		for _, problem := range Check(in.Job, in.Snapshot, options(c.words...)) {
			hint += problem.Hint
		}
		if (hint != "") != (c.check != "") || !strings.Contains(hint, c.check) {
			t.Errorf("%q: the hint %q, want %q", c.words, hint, c.check)
		}
	}
}
