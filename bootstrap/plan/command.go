package plan

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"entrain/contract"
	"entrain/hparams"
)

// trainWord is the word that the platform appends to an image's ENTRYPOINT. It takes the place of the image's CMD.
const trainWord = "train"

// CommandVariable is the variable that holds a command.
const CommandVariable = "ENTRAIN_COMMAND"

// decideCommand finds the trainer's words and puts the variables into them. It returns the words as they were before.
func (p *Plan) decideCommand(job *contract.Job, snap *contract.Snapshot, o Options) (words []string, err error) {
	words, err = p.findCommand(job, snap, o)
	if err != nil {
		return nil, err
	}
	if o.Mask {
		words = contract.MaskWords(words)
	}
	if p.Rendezvous != nil {
		p.Rendezvous.Digests["command"] = digest(append([]string{string(o.ArgsStyle)}, words...)...)
	}
	if p.Command.Argv, err = ExpandWords(words, p.Command.Env); err != nil {
		return nil, err
	}
	if p.Command.Argv[0] == "" {
		return nil, &UsageError{Err: errors.New("the command's first word is empty, expected a program")}
	}
	return words, nil
}

// findCommand looks in the places of the design, in order: after --, in ENTRAIN_COMMAND, where the SDK says which script
// to run, and at last for a program "train" in PATH, which is what the platform itself would start.
func (p *Plan) findCommand(job *contract.Job, snap *contract.Snapshot, o Options) ([]string, error) {
	words, dropped := p.dropTrain(o, snap.Caller)
	if len(words) > 0 {
		return words, nil
	}
	if text, ok := snap.Getenv(CommandVariable); ok {
		return commandVariable(text)
	}
	if program := job.Program(snap); program != "" {
		p.Command.Dir = job.CodeDir()
		return scriptWords(path.Join(job.CodeDir(), program), snap), nil
	}
	if snap.Programs[trainWord] {
		p.Remarks = append(p.Remarks, `starting the program "train" of PATH, since nothing else names a command`)
		return []string{trainWord}, nil
	}
	return nil, noCommand(dropped || o.CalledTrain, nearProgram(snap.Env))
}

// dropTrain gives the words after --, without the last one where that is the platform's own.
func (p *Plan) dropTrain(o Options, caller contract.Caller) (words []string, dropped bool) {
	words = slices.Clone(o.Command)
	n := len(words)
	if n == 0 || words[n-1] != trainWord || o.KeepTrain {
		return words, false
	}
	switch caller {
	case contract.CallerPlatform:
		p.Remarks = append(p.Remarks, `ignoring the last word "train", which SageMaker appends; --keep-train passes it on`)
	case contract.CallerContainer:
		p.Notes = append(p.Notes, `ignoring the last word "train", as on SageMaker, which appends it; --keep-train passes it on`)
	case contract.CallerOther:
		p.KeptTrain = true
		return words, false
	}
	return words[:n-1], true
}

// commandVariable reads ENTRAIN_COMMAND.
func commandVariable(text string) ([]string, error) {
	words, err := commandWords(text)
	if err == nil && len(words) == 0 {
		err = errors.New("it is empty, expected a JSON array or words quoted as in a shell")
	}
	if err != nil {
		shown := strings.Join(contract.MaskWords(strings.Fields(text)), " ")
		return nil, &UsageError{Err: fmt.Errorf("ENTRAIN_COMMAND=%s: %w", hparams.Quote(shown), err)}
	}
	return words, nil
}

// noCommand says where a command may stand. An image that keeps its command in CMD has none on the platform.
func noCommand(onlyTrain bool, near string) error {
	const entrypoint = `hint: ENTRYPOINT ["/usr/local/bin/entrain", "run", "--", "python3", "/opt/train.py"]`
	if onlyTrain {
		return &UsageError{Err: errors.New(`no command: the only word was "train", which SageMaker appends to an ENTRYPOINT in place of the image's CMD` + "\n" +
			"hint: put the whole command into the ENTRYPOINT, such as " + strings.TrimPrefix(entrypoint, "hint: ENTRYPOINT ") + "\n" +
			`hint: to run a program named "train", put it into PATH, or add --keep-train` + near)}
	}
	return &UsageError{Err: errors.New("no command: expected one after --, in ENTRAIN_COMMAND or SAGEMAKER_PROGRAM, or a program \"train\" in PATH\n" + entrypoint + near)}
}

// nearProgram is the hint that a variable was meant to be SAGEMAKER_PROGRAM; empty where none looks like it.
func nearProgram(env []string) string {
	const prefix, program = "SAGEMAKER_", "PROGRAM"
	for _, variable := range env {
		name, _, _ := strings.Cut(variable, "=")
		rest, ours := strings.CutPrefix(name, prefix)
		if ours && rest != program && contract.NearestName(rest, []string{program}) != "" {
			return "\nhint: " + name + " is set; did you mean " + prefix + program + "?"
		}
	}
	return ""
}

// scriptWords starts a Python script by the first interpreter in PATH and anything else by itself.
func scriptWords(script string, snap *contract.Snapshot) []string {
	if !strings.HasSuffix(script, ".py") {
		return []string{script}
	}
	if !snap.Programs["python3"] && snap.Programs["python"] {
		return []string{"python", script}
	}
	return []string{"python3", script}
}

// UsageHint is for a trainer that refuses its arguments: 2 is argparse's and getopt's exit code for that, 64 that of
// sysexits.h. It is empty for any other code, and where entrain has passed on no word of the platform.
func (p *Plan) UsageHint(code int) string {
	const argparse, sysexits = 2, 64
	if !p.KeptTrain || code != argparse && code != sysexits {
		return ""
	}
	return `the command's last word "train" was passed on to it; SageMaker appends that word, and entrain drops it there ` +
		"(set TRAINING_JOB_NAME to try that here)"
}
