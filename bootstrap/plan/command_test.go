package plan

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"entrain/contract"
	"entrain/hparams"
)

// commandCase is a way to give a command, or to give none.
type commandCase struct {
	what   string
	hp     string
	env    []string
	caller contract.Caller
	inPath string // a program in PATH
	keep   bool   // --keep-train
	args   []string
	argv   []string
	dir    string // the trainer's working directory, if it is not /work
	err    string // the start of the error
	hint   string // the end of the error
}

func (c *commandCase) test(t *testing.T) {
	t.Helper()
	o := options(c.args...)
	o.KeepTrain = c.keep
	in := photographJob(t, cmp.Or(c.hp, "{}"), alone, c.env...)
	in.Snapshot.Caller, in.Snapshot.Programs[c.inPath] = c.caller, true
	plan, err := in.Plan(o)
	if c.err != "" {
		text := fmt.Sprint(err)
		if !isUsage(err) || !strings.HasPrefix(text, c.err) || !strings.HasSuffix(text, c.hint) {
			t.Errorf("got  %v\nwant %s … %s", err, c.err, c.hint)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := cmp.Or(c.dir, "/work")
	if diff := gocmp.Diff(c.argv, plan.Command.Argv); diff != "" || plan.Command.Dir != dir {
		t.Errorf("dir %s, want %s; argv (-want +got):\n%s", plan.Command.Dir, dir, diff)
	}
	// On the platform nobody needs to be told of the word that the platform appends.
	if noted := len(plan.Notes) > 0; noted != (c.caller == contract.CallerContainer) {
		t.Errorf("notes: %v", plan.Notes)
	}
}

func TestTheWordTrainIsDroppedIfThePlatformAppendedIt(t *testing.T) {
	const platform, container = contract.CallerPlatform, contract.CallerContainer
	const replacedCMD = `no command: the only word was "train", ` +
		"which SageMaker appends to an ENTRYPOINT in place of the image's CMD\nhint: "
	trainAlone := []string{"train"}
	for _, c := range []commandCase{
		{what: "on the platform", caller: platform, args: []string{"a", "train"}, argv: []string{"a"}},
		{
			what:   "in a container on a laptop",
			caller: container,
			args:   []string{"a", "train"}, argv: []string{"a"},
		},
		{
			what:   "not with --keep-train",
			caller: platform, keep: true,
			args: []string{"a", "train"}, argv: []string{"a", "train"},
		},
		{what: "not in a shell", args: []string{"a", "train"}, argv: []string{"a", "train"}},
		{what: "only the last one", caller: platform, args: []string{"train", "train"}, argv: trainAlone},
		{
			what:   "then the variable is the command",
			caller: platform, env: []string{"ENTRAIN_COMMAND=x y"},
			args: trainAlone, argv: []string{"x", "y"},
		},
		{
			what:   "then the script is the command",
			caller: container, hp: `{"sagemaker_program":"t"}`,
			args: trainAlone, argv: []string{"/opt/ml/code/t"}, dir: "/opt/ml/code",
		},
		{
			what:   "then the program train is the command",
			caller: container, inPath: "train",
			args: trainAlone, argv: trainAlone,
		},
		{what: "then nothing is the command", caller: platform, args: trainAlone, err: replacedCMD},
		{
			what:   "then a misspelt variable is pointed out",
			caller: platform, env: []string{"SAGEMAKER_REGION=x", "SAGEMAKER_PROGAM=t.py"},
			args: trainAlone, err: replacedCMD,
			hint: "\nhint: SAGEMAKER_PROGAM is set; did you mean SAGEMAKER_PROGRAM?",
		},
		{
			what:   "then a misspelt hyperparameter is pointed out",
			caller: platform, hp: `{"lr":"1","sagemakerProgram":"t.py"}`,
			args: trainAlone, err: replacedCMD,
			hint: `hint: there is a hyperparameter "sagemakerProgram"; did you mean sagemaker_program?`,
		},
	} {
		t.Run(c.what, c.test)
	}
}

func TestTheCommandIsTheFirstOneThatIsGiven(t *testing.T) {
	for _, c := range []commandCase{
		{
			what: "words after --",
			hp:   `{"lr":"1"}`, env: []string{"ENTRAIN_COMMAND=x"},
			args: []string{"a", "b c"}, argv: []string{"a", "b c", "--lr", "1"},
		},
		{what: "a variable as JSON", env: []string{`ENTRAIN_COMMAND=["a","b c"]`}, argv: []string{"a", "b c"}},
		{
			what: "a variable that is wrong",
			env:  []string{`ENTRAIN_COMMAND=a | b`},
			err: `ENTRAIN_COMMAND="a | b": '|' outside quotes: ` +
				"no shell reads this; quote it, or start a shell with sh -c '…'",
		},
		{
			what: "a variable that is empty",
			env:  []string{`ENTRAIN_COMMAND=`},
			err:  `ENTRAIN_COMMAND="": it is empty, expected a JSON array or words quoted as in a shell`,
		},
		{
			what: "a script in a hyperparameter",
			hp:   `{"sagemaker_program":"\"t.py\"","lr":"1"}`,
			argv: []string{"python3", "/opt/ml/code/t.py", "--lr", "1"}, dir: "/opt/ml/code",
		},
		{
			what: "a script in a variable",
			hp:   `{"sagemaker_program":"t.py","sagemaker_submit_directory":"/src"}`,
			env:  []string{"SAGEMAKER_PROGRAM=run.sh"},
			argv: []string{"/src/run.sh"}, dir: "/src",
		},
		{
			what: "code on S3, which is not fetched",
			hp:   `{"sagemaker_program":"t","sagemaker_submit_directory":"s3://b/x"}`,
			argv: []string{"/opt/ml/code/t"}, dir: "/opt/ml/code",
		},
		{
			what: "a script before the program train",
			hp:   `{"sagemaker_program":"t"}`, inPath: "train",
			argv: []string{"/opt/ml/code/t"}, dir: "/opt/ml/code",
		},
		{
			what: "the program train",
			hp:   `{"lr":"1"}`, inPath: "train",
			argv: []string{"train", "--lr", "1"},
		},
		{
			what: "nothing",
			err: "no command: expected one after --, in ENTRAIN_COMMAND or SAGEMAKER_PROGRAM, " +
				"or a program \"train\" in PATH\nhint: ENTRYPOINT",
		},
		{
			what: "other variables",
			env:  []string{"SAGEMAKER_REGION=x", "SAGEMAKER_PROGRAM="},
			err:  "no command: ", hint: `"/opt/train.py"]`,
		},
		{
			what: "an empty program",
			args: []string{""},
			err:  "the command's first word is empty, expected a program",
		},
	} {
		t.Run(c.what, c.test)
	}
}

func TestVariablesInTheCommandAreExpanded(t *testing.T) {
	for _, c := range []commandCase{
		{
			what: "known and other names",
			hp:   `{"lr":"0.1"}`,
			args: []string{"a", "${SM_HP_LR} $$ ${HOME} $${SM_HP_LR} $$$${"},
			argv: []string{"a", "0.1 $$ ${HOME} ${SM_HP_LR} $$${", "--lr", "0.1"},
		},
		{
			what: "but not in program text",
			hp:   `{"lr":"0.1"}`,
			args: []string{"sh", "-c", "echo ${SM_HP_LR} $$", "${SM_HP_LR}"},
			argv: []string{"sh", "-c", "echo ${SM_HP_LR} $$", "0.1", "--lr", "0.1"},
		},
		{
			what: "an unknown name",
			args: []string{"a", "${SM_NOPE}"},
			err:  `the command's word "${SM_NOPE}": ${SM_NOPE} names no variable of this job`,
		},
	} {
		t.Run(c.what, c.test)
	}
}

// TestHostsCompareTheProgramAndTheWords: the program and each word have a digest, and the style of the
// arguments is told as it is. That of a secret is too short to find the secret by.
func TestHostsCompareTheProgramAndTheWords(t *testing.T) {
	of := func(style hparams.Style, words ...string) *Rendezvous {
		o := options(words...)
		o.ArgsStyle = style
		p, err := photographJob(t, "{}", two).Plan(o)
		if err != nil {
			t.Fatal(err)
		}
		return p.Rendezvous
	}
	one := of(hparams.StyleToolkit, "train", "--node-rank", "0", "--token=t0psecret")
	for what, c := range map[string]struct {
		other *Rendezvous
		same  bool
	}{
		"another word":    {of(hparams.StyleToolkit, "train", "--node-rank", "1"), true},
		"another program": {of(hparams.StyleToolkit, "test", "--node-rank", "0", "--token=t0psecret"), false},
		"another style":   {of(hparams.StyleGNU, "train", "--node-rank", "0", "--token=t0psecret"), false},
	} {
		sameCommand := one.Digests["command"] == c.other.Digests["command"]
		if (sameCommand && one.Digests["args-style"] == c.other.Digests["args-style"]) != c.same {
			t.Errorf("%s: %v and %v", what, one.Digests, c.other.Digests)
		}
	}
	if w := one.Command[3]; w.Text != "--token=******" || len(w.Digest) != 2 {
		t.Errorf("the secret word is told as %+v", w)
	}
	if w := one.Command[2]; w.Text != "0" || len(w.Digest) != 8 {
		t.Errorf("the word 0 is told as %+v", w)
	}
}
