package contract_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"entrain/contract"
)

// asks lists the problems of CheckAsks, one in a line.
func asks(t *testing.T, snap *contract.Snapshot, c contract.Call) string {
	t.Helper()
	var lines []string
	for _, p := range contract.CheckAsks(load(t, snap), snap, c) {
		kind := map[bool]string{true: "warning", false: "error"}[p.Warning]
		lines = append(lines, fmt.Sprintf("%s %s:%d:%d %s", kind, p.File, p.Line, p.Column, p.Message))
	}
	return strings.Join(lines, "\n")
}

func TestDistributionThatNothingStartsIsReported(t *testing.T) {
	const groups = `{"current_host":"algo-1","hosts":["algo-1","algo-2","algo-3"],"instance_groups":[` +
		`{"instance_group_name":"g","instance_type":"t","hosts":["algo-1"]},` +
		`{"instance_group_name":"h","instance_type":"t","hosts":["algo-2","algo-3"]}],` +
		`"current_group_name":"g"}`
	for _, d := range contract.Distributions() {
		for _, c := range []struct {
			value, groups, resource string
			call                    contract.Call
			kind                    string
		}{
			{`"true"`, "", `{"current_host":"a","hosts":["a","b"]}`, contract.Call{}, "error"},
			{`true`, "", `{"current_host":"b","hosts":["a","b"]}`, contract.Call{}, "error"},
			{`"1"`, "", `{"current_host":"a","hosts":["a"]}`, contract.Call{}, "warning"},
			{`"false"`, "", `{"current_host":"a","hosts":["a","b"]}`, contract.Call{}, ""},
			{`"0"`, "", `{"current_host":"a","hosts":["a","b"]}`, contract.Call{}, ""},
			{`"true"`, "", `{"current_host":"a","hosts":["a","b"]}`, contract.Call{Alone: true}, ""},
			{`"true"`, "", `{"current_host":"a","hosts":["a","b"]}`, contract.Call{Starter: "MPI"}, "warning"},
			{`"true"`, `,"sagemaker_distribution_instance_groups":"[\"h\"]"`, groups, contract.Call{}, "error"},
		} {
			snap := snapshot(with("hyperparameters.json", `{"`+d.Param+`":`+c.value+c.groups+`}`))
			snap.Files["resourceconfig.json"] = contract.File{Data: []byte(c.resource)}
			got, want := asks(t, snap, c.call), ""
			if c.kind != "" && !d.Served {
				const message = "%s hyperparameters.json:1:%d hyperparameter %q asks for %s, " +
					"which entrain does not start"
				want = fmt.Sprintf(message, c.kind, len(d.Param)+5, d.Param, d.Name)
			}
			if !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("%s=%s on %s, %+v: %q, want %q", d.Param, c.value, c.resource, c.call, got, want)
			}
		}
	}
}

// A job with two groups that does not say which of them train together is the same job on each of its hosts.
func TestGroupsThatTheJobDoesNotNameAreReportedOnEveryHost(t *testing.T) {
	const all = `warning hyperparameters.json:1:26 hyperparameter "sagemaker_mpi_enabled": ` +
		`the job does not say which of 2 instance groups train together, so all do: ["algo-2","algo-3","algo-1"]`
	const noneNamed = `hyperparameter "sagemaker_distribution_instance_groups": ` +
		`the job does not say which of 2 instance groups train together, so all do: ["algo-2","algo-3","algo-1"]`
	for _, c := range []struct{ hp, want string }{
		{`{"sagemaker_mpi_enabled":"true"}`, all},
		{
			`{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"[\"data\",\"dn\"]"}`,
			`"sagemaker_distribution_instance_groups": "dn" is not one of instance_groups ["data","dnn"]`,
		},
		{`{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"[\"dnn\"]"}`, ``},
		{`{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"dnn"}`, ``},
		{
			`{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"train"}`,
			`"sagemaker_distribution_instance_groups": "train" is not one of instance_groups ["data","dnn"]`,
		},
		{`{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"[\"nope\"]"}`, noneNamed},
		{`{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"nope"}`, noneNamed},
		{`{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"[]"}`, noneNamed},
		{`{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"null"}`, noneNamed},
		{`{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"{}"}`, noneNamed},
		{`{"sagemaker_mpi_enabled":"true","sagemaker_distribution_instance_groups":"5"}`, noneNamed},
		{`{"sagemaker_mpi_enabled":"false","sagemaker_distribution_instance_groups":"[]"}`, ``},
		{`{"sagemaker_mpi_enabled":"false"}`, ``},
	} {
		for _, host := range []string{"algo-1", "algo-2", "algo-3"} {
			got := asks(t, openGroups(c.hp, host), contract.Call{})
			if !strings.Contains(got, c.want) || c.want == "" && got != "" {
				t.Errorf("%s on %s: %q, want %q", c.hp, host, got, c.want)
			}
			if got := asks(t, openGroups(c.hp, host), contract.Call{Alone: true}); got != "" {
				t.Errorf("%s on %s, each host alone: %q", c.hp, host, got)
			}
		}
	}
}

func TestCodeThatNothingStartsIsReported(t *testing.T) {
	const dir, file = contract.KindDir, contract.KindFile
	const s3 = `{"sagemaker_program":"t.py","sagemaker_submit_directory":"s3://b/s.tar.gz"}`
	const tar = `{"sagemaker_program":"t.py",` +
		`"sagemaker_submit_directory":"\"/opt/ml/input/data/code/sourcedir.tar.gz\""}`
	const fetch = `hyperparameter "sagemaker_submit_directory": ` +
		`the job brings its code by "s3://b/s.tar.gz", which entrain does not fetch`
	for _, c := range []struct {
		what, hp string
		env      []string
		paths    map[string]contract.Kind
		given    bool
		want     string
	}{
		{"no program", `{}`, nil, nil, false, ""},
		{
			"the script", `{"sagemaker_program":"t.py"}`, nil,
			map[string]contract.Kind{"/opt/ml/code": dir, "/opt/ml/code/t.py": file},
			false, "",
		},
		{
			"no script", `{"sagemaker_program":"t.py"}`, nil, nil, false,
			`error hyperparameters.json:1:22 hyperparameter "sagemaker_program": ` +
				`/opt/ml/code/t.py is missing, expected the script there`,
		},
		{
			"no script, named by the variable", `{}`,
			[]string{"SAGEMAKER_PROGRAM=t.py"},
			nil, false,
			"error SAGEMAKER_PROGRAM:0:0 /opt/ml/code/t.py is missing, expected the script there",
		},
		{"no script, but a command", `{"sagemaker_program":"t.py"}`, nil, nil, true, ""},
		{
			"s3", s3, nil, nil, false,
			"error hyperparameters.json:1:58 " + fetch +
				", and /opt/ml/code/t.py is missing, expected the script there",
		},
		{
			"s3 and a command", s3, nil, nil, true,
			"warning hyperparameters.json:1:58 " + fetch + ": the command that is given counts",
		},
		{
			"s3, and a script in the image", s3, nil,
			map[string]contract.Kind{"/opt/ml/code/t.py": file},
			false,
			"warning hyperparameters.json:1:58 " + fetch + ": the image's own /opt/ml/code/t.py runs",
		},
		{
			"s3 alone",
			`{"sagemaker_submit_directory":"s3://b/s.tar.gz"}`,
			nil, nil, false,
			"warning hyperparameters.json:1:31 " + fetch,
		},
		{
			"local mode",
			`{"sagemaker_program":"t.py","sagemaker_submit_directory":"file:///x"}`,
			nil,
			map[string]contract.Kind{"/opt/ml/code/t.py": file},
			false, "",
		},
		{
			"an archive", tar, nil,
			map[string]contract.Kind{"/opt/ml/input/data/code/sourcedir.tar.gz": file},
			false, "",
		},
		{
			"no archive", tar, nil, nil, false,
			`error hyperparameters.json:1:58 hyperparameter "sagemaker_submit_directory": ` +
				`/opt/ml/input/data/code/sourcedir.tar.gz is missing, expected the archive with the code`,
		},
		{
			"a file that is no archive", `{"sagemaker_program":"t.py","sagemaker_submit_directory":"/x.zip"}`, nil,
			map[string]contract.Kind{"/x.zip": file},
			false,
			`error hyperparameters.json:1:58 hyperparameter "sagemaker_submit_directory": ` +
				`/x.zip is a file, expected a directory with the code`,
		},
		{
			"an archive, and other code in the image", tar, nil,
			map[string]contract.Kind{"/opt/ml/input/data/code/sourcedir.tar.gz": file, "/opt/ml/code": dir},
			false,
			`error hyperparameters.json:1:22 hyperparameter "sagemaker_program": ` +
				`/opt/ml/code/t.py is missing, expected the script there`,
		},
		{
			"an archive in the channel code", `{"sagemaker_program":"t.py"}`, nil,
			map[string]contract.Kind{"/opt/ml/input/data/code/sourcedir.tar.gz": file},
			false, "",
		},
		{
			"an archive in the channel code, and no script", `{}`, nil,
			map[string]contract.Kind{"/opt/ml/input/data/code/sourcedir.tar.gz": file},
			false,
			`warning inputdataconfig.json:0:0 channel "code": ` +
				`/opt/ml/input/data/code/sourcedir.tar.gz is not unpacked`,
		},
		{
			"a module for the toolkit", `{}`,
			[]string{"SAGEMAKER_TRAINING_MODULE=m:f"},
			nil, true,
			`warning SAGEMAKER_TRAINING_MODULE:0:0 "m:f" is not started: ` +
				`it is for the SageMaker Training Toolkit, and entrain starts the command or the script itself`,
		},
		{"no module for the toolkit", `{}`, []string{"SAGEMAKER_TRAINING_MODULE="}, nil, true, ""},
		{
			"s3 output", `{"sagemaker_s3_output":"s3://b"}`, nil, nil, true,
			`warning hyperparameters.json:1:24 hyperparameter "sagemaker_s3_output": ` +
				`entrain does not synchronize /opt/ml/output/intermediate while the job runs`,
		},
		{"no s3 output", `{"sagemaker_s3_output":"null"}`, nil, nil, true, ""},
		{
			"files that the toolkit would install", `{"sagemaker_program":"t.py"}`, nil,
			map[string]contract.Kind{
				"/opt/ml/code/t.py":             file,
				"/opt/ml/code/requirements.txt": file,
				"/opt/ml/code/setup.py":         file,
			},
			false,
			"warning /opt/ml/code/requirements.txt:0:0 is not installed, as --install off says\n" +
				"warning /opt/ml/code/setup.py:0:0 is not installed, as --install off says",
		},
	} {
		snap := snapshot(with("hyperparameters.json", c.hp))
		snap.Env, snap.Root, snap.Paths = c.env, "/opt/ml", map[string]contract.Entry{}
		asked := contract.CodePaths(load(t, snap), snap)
		for path, kind := range c.paths {
			snap.Paths[path] = contract.Entry{Kind: kind}
			if !slices.Contains(asked, path) {
				t.Errorf("%s: CodePaths leaves out %s", c.what, path)
			}
		}
		if got := asks(t, snap, contract.Call{Command: c.given}); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.what, got, c.want)
		}
	}
}

func TestHintSaysThatAMountMayHideTheCodeOnlyInAUsersContainer(t *testing.T) {
	for caller, want := range map[contract.Caller]bool{
		contract.CallerContainer: true,
		contract.CallerPlatform:  false,
	} {
		snap := snapshot(with("hyperparameters.json", `{"sagemaker_program":"t.py"}`))
		snap.Root, snap.Caller = "/opt/ml", caller
		problems := contract.CheckAsks(load(t, snap), snap, contract.Call{})
		if len(problems) != 1 || strings.Contains(problems[0].Hint, "\nhint: a mount over /opt/ml hides") != want {
			t.Errorf("%v: %+v", caller, problems)
		}
	}
}

func TestOutputDirectoryThatCannotBeWrittenIsReported(t *testing.T) {
	const dir = contract.KindDir
	for _, c := range []struct {
		what    string
		outputs map[string]contract.Output
		want    string
	}{
		{
			"all well",
			map[string]contract.Output{
				"/opt/ml": {Kind: dir}, "/opt/ml/model": {Kind: dir}, "/opt/ml/output": {Kind: dir},
			},
			"",
		},
		{"none there, but the root can be written", map[string]contract.Output{"/opt/ml": {Kind: dir}}, ""},
		{
			"none there",
			map[string]contract.Output{"/opt/ml": {Kind: dir, Problem: "permission denied"}},
			"/opt/ml/model: is missing, and /opt/ml cannot be written: permission denied",
		},
		{
			"a file",
			map[string]contract.Output{"/opt/ml/model": {Kind: contract.KindOther}},
			"/opt/ml/model: is no directory, expected one that can be written",
		},
		{
			"read-only",
			map[string]contract.Output{
				"/opt/ml/checkpoints": {Kind: dir, Problem: "it is mounted read-only", ReadOnly: true, Mode: 0o755},
			},
			"/opt/ml/checkpoints: cannot be written by uid 1000: " +
				"it is mounted read-only (owner 0, mode 0755), expected a directory that can",
		},
		{
			"unseen by the kernel",
			map[string]contract.Output{"/opt/ml/model": {Problem: "permission denied", Unseen: true}},
			"/opt/ml/model: cannot be written by uid 1000: permission denied, expected a directory that can",
		},
	} {
		snap := snapshot(with("hyperparameters.json", `{}`))
		snap.Root, snap.UID, snap.Outputs = "/opt/ml", 1000, c.outputs
		var got []string
		for _, p := range contract.CheckOutputs(load(t, snap), snap) {
			if !p.Warning || p.Hint == "" {
				t.Errorf("%s: %+v", c.what, p)
			}
			got = append(got, p.File+": "+p.Message)
		}
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// A script starts as the toolkit and the drivers start it, which give it the x bit.
func TestScriptsStartByThemselvesOrByTheirInterpreter(t *testing.T) {
	const sh, train = "/opt/ml/code/run.sh", "/opt/ml/code/train"
	file := contract.Entry{Kind: contract.KindFile}
	locked := func(shebang ...string) contract.Entry {
		return contract.Entry{Kind: contract.KindFile, Unrunnable: "is not executable", Shebang: shebang}
	}
	withShebang := contract.Entry{Kind: contract.KindFile, Shebang: []string{"/bin/bash"}}
	for _, c := range []struct {
		what, program string
		entry         contract.Entry
		shell         bool
		want          []string
	}{
		{"a script with the x bit", "run.sh", withShebang, true, []string{sh}},
		{"a program with the x bit", "train", file, true, []string{train}},
		{"a script without the x bit", "run.sh", locked("/bin/bash"), true, []string{"/bin/bash", sh}},
		{
			"an interpreter with an argument", "train", locked("/usr/bin/env", "python3 -u"), true,
			[]string{"/usr/bin/env", "python3 -u", train},
		},
		{"a .sh without an interpreter", "run.sh", file, true, []string{"/bin/sh", sh}},
		{"a .sh without an interpreter and the x bit", "run.sh", locked(), true, []string{"/bin/sh", sh}},
		{"the same without a shell", "run.sh", locked(), false, nil},
		{"a .sh with the x bit, without a shell", "run.sh", file, false, []string{sh}},
		{"a program without the x bit", "train", locked(), true, nil},
		{
			"Python that PATH lacks", "t.py", locked("/opt/venv/bin/python"), true,
			[]string{"/opt/venv/bin/python", "/opt/ml/code/t.py"},
		},
		{"Python without an interpreter", "t.py", locked(), true, []string{"python3", "/opt/ml/code/t.py"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			snap := snapshot(with("hyperparameters.json", `{"sagemaker_program":"`+c.program+`"}`))
			snap.Paths = map[string]contract.Entry{"/opt/ml/code/" + c.program: c.entry}
			if c.shell {
				snap.Paths["/bin/sh"] = contract.Entry{Kind: contract.KindFile}
			}
			job := load(t, snap)
			problems := asks(t, snap, contract.Call{})
			if c.want == nil {
				const message = "is not executable and names no interpreter, expected one of the two"
				if !strings.Contains(problems, message) {
					t.Errorf("problems %q, want %q", problems, message)
				}
				return
			}
			if got := job.ScriptWords(snap); !slices.Equal(got, c.want) || problems != "" {
				t.Errorf("%q, want %q; problems %q", got, c.want, problems)
			}
		})
	}
}

// A program without the x bit whose interpreter cannot start it is a problem of the program, which says what
// is wrong with its first line. An interpreter does not help machine code.
func TestProgramThatItsInterpreterCannotStart(t *testing.T) {
	const locked = "is not executable"
	for _, c := range []struct {
		entry         contract.Entry
		message, hint string
	}{
		{
			contract.Entry{Shebang: []string{"/bin/bash\r"}, NoInterpreter: true},
			"run.sh is not executable, and its first line ends with a carriage return",
			"save it with the line ends of Unix",
		},
		{
			contract.Entry{Shebang: []string{"/usr/bin/env", "bash\r"}},
			"run.sh is not executable, and its first line ends with a carriage return",
			"save it with the line ends of Unix",
		},
		{
			contract.Entry{Shebang: []string{"/no/such", "-x"}, NoInterpreter: true},
			`run.sh is not executable, and its first line names the interpreter "/no/such", which does not exist`,
			"name an interpreter that the image has",
		},
		{
			contract.Entry{ELF: true},
			"run.sh is not executable", "in the Dockerfile: RUN chmod +x /opt/ml/code/run.sh",
		},
		{contract.Entry{ELF: true, NoExec: true}, "run.sh is not executable", "put it where programs may run"},
	} {
		snap := snapshot(with("hyperparameters.json", `{"sagemaker_program":"run.sh"}`))
		c.entry.Kind, c.entry.Unrunnable = contract.KindFile, locked
		snap.Paths = map[string]contract.Entry{
			"/opt/ml/code/run.sh": c.entry, "/bin/sh": {Kind: contract.KindFile},
		}
		problems := contract.CheckAsks(load(t, snap), snap, contract.Call{})
		if len(problems) != 1 || problems[0].Warning || problems[0].Hint != c.hint ||
			!strings.HasSuffix(problems[0].Message, "/opt/ml/code/"+c.message) {
			t.Errorf("%+v: %+v, want %q, hint %q", c.entry, problems, c.message, c.hint)
		}
	}
}

// What is at the place of the program and cannot be read as one, or is read as another one.
func TestProgramThatIsNoScript(t *testing.T) {
	file := contract.KindFile
	for _, c := range []struct {
		program string
		entry   contract.Entry
		message string
	}{
		{"f.sh", contract.Entry{Kind: contract.KindFIFO}, "f.sh is a FIFO, a socket or a device"},
		{"f.py", contract.Entry{Kind: contract.KindFIFO}, "f.py is a FIFO, a socket or a device"},
		{"dev", contract.Entry{Kind: contract.KindOther}, "dev is a FIFO, a socket or a device"},
		{"run.sh", contract.Entry{Kind: file, Marked: true}, "run.sh begins with a byte order mark"},
		{"run", contract.Entry{Kind: file, Marked: true}, "run begins with a byte order mark"},
		{
			"run",
			contract.Entry{Kind: file, Marked: true, Unrunnable: "is not executable"},
			"run is not executable, and a byte order mark hides its first line",
		},
		{"run.py", contract.Entry{Kind: file, Marked: true}, ""},
	} {
		snap := snapshot(with("hyperparameters.json", `{"sagemaker_program":"`+c.program+`"}`))
		snap.Paths = map[string]contract.Entry{
			"/opt/ml/code/" + c.program: c.entry, "/bin/sh": {Kind: contract.KindFile},
		}
		problems := contract.CheckAsks(load(t, snap), snap, contract.Call{})
		if (len(problems) == 1) != (c.message != "") {
			t.Errorf("%s: %+v, want %q", c.program, problems, c.message)
		}
		for _, p := range problems {
			if p.Warning || !strings.Contains(p.Message, "/opt/ml/code/"+c.message) {
				t.Errorf("%s: %+v, want %q", c.program, p, c.message)
			}
		}
	}
}

// What helps against a program that cannot be executed depends on where it is.
func TestHintForAProgramThatCannotRunFitsItsPlace(t *testing.T) {
	for _, c := range []struct {
		dir, hint string
		noExec    bool
	}{
		{"/opt/ml/code", "in the Dockerfile: RUN chmod +x /opt/ml/code/train", false},
		{"/opt/ml/input/data/code", "the files of a channel are never executable", false},
		{"/opt/ml/code", "put it where programs may run", true},
		{"/opt/ml/input/data/code", "put it where programs may run", true},
	} {
		hp := `{"sagemaker_program":"train","sagemaker_submit_directory":"` + c.dir + `"}`
		snap := snapshot(with("hyperparameters.json", hp))
		snap.Paths = map[string]contract.Entry{c.dir + "/train": {
			Kind: contract.KindFile, Unrunnable: "is not executable", NoExec: c.noExec,
		}}
		problems := contract.CheckAsks(load(t, snap), snap, contract.Call{})
		if len(problems) != 1 || !strings.Contains(problems[0].Hint, c.hint) || problems[0].Column != 22 {
			t.Errorf("%s, no exec %v: %+v, want the hint %q", c.dir, c.noExec, problems, c.hint)
		}
		if problems := contract.CheckAsks(load(t, snap), snap, contract.Call{Command: true}); len(problems) > 0 {
			t.Errorf("%s with a command: %v", c.dir, problems)
		}
	}
}
