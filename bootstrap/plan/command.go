package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"entrain/contract"
	"entrain/hparams"
)

// trainWord is the word that the platform appends to an image's ENTRYPOINT. It replaces the image's CMD.
const trainWord = "train"

// CommandVariable is the name of the variable that holds a command.
const CommandVariable = "ENTRAIN_COMMAND"

// decideCommand finds the words that start the trainer and expands the variables in them. It returns the
// words before the expansion.
func (p *Plan) decideCommand(job *contract.Job, snap *contract.Snapshot, o Options) ([]string, error) {
	words, err := p.findCommand(job, snap, o)
	if err != nil {
		return nil, err
	}
	if o.Mask {
		words = contract.MaskWords(words)
	}
	if p.Rendezvous != nil {
		p.Rendezvous.Digests["command"] = digest(words[0])
		p.Rendezvous.Digests["args-style"] = string(o.ArgsStyle)
		p.Rendezvous.Command = commandWords(words)
	}
	words = p.throughMPI4Py(job, snap, o, words)
	if p.Command.Argv, err = p.expandEarly(words, p.firstRankEnv(job, o)); err != nil {
		return nil, err
	}
	if p.Command.Argv[0] == "" {
		return nil, &UsageError{Err: errors.New("the command's first word is empty, expected a program")}
	}
	return words, nil
}

// findCommand looks for a command in this order: the words after --, the variable ENTRAIN_COMMAND, the script
// that the SDK names, and a program "train" in PATH, which the platform itself would start.
func (p *Plan) findCommand(
	job *contract.Job, snap *contract.Snapshot, o Options,
) (words []string, err error) {
	words, dropped := p.dropTrain(o, snap.Caller)
	if text, ok := snap.Getenv(CommandVariable); ok && len(words) == 0 {
		if words, err = readCommandVariable(text); err != nil {
			return nil, err
		}
	}
	if len(words) > 0 {
		p.Command.Dir = commandDir(job, snap, words)
		return startFile(job, snap, words), nil
	}
	if job.Program(snap) != "" {
		return p.decideOwn(job, snap, o), nil
	}
	if snap.Programs[trainWord] {
		p.Remarks = append(p.Remarks, `starting the program "train" of PATH, since nothing else names a command`)
		return []string{trainWord}, nil
	}
	return nil, noCommandError(dropped || o.CalledTrain, misspeltProgramHint(snap.Env)+misspeltParamHint(job))
}

// dropTrain returns the words after --, without a last word "train" that the platform has appended.
func (p *Plan) dropTrain(o Options, caller contract.Caller) (words []string, dropped bool) {
	words = slices.Clone(o.Command)
	n := len(words)
	if n == 0 || words[n-1] != trainWord || o.KeepTrain {
		return words, false
	}
	switch caller {
	case contract.CallerPlatform:
		p.Remarks = append(p.Remarks,
			`ignoring the last word "train", which SageMaker appends; --keep-train passes it on`)
	case contract.CallerContainer:
		p.Notes = append(p.Notes,
			`ignoring the last word "train", as on SageMaker, which appends it; --keep-train passes it on`)
	case contract.CallerOther:
		p.KeptTrain = true
		return words, false
	}
	return words[:n-1], true
}

// readCommandVariable reads the value of ENTRAIN_COMMAND.
func readCommandVariable(text string) ([]string, error) {
	words, err := parseCommand(text)
	if err == nil && len(words) == 0 {
		err = errors.New("it is empty, expected a JSON array or words quoted as in a shell")
	}
	if err != nil {
		shown := strings.Join(contract.MaskWords(strings.Fields(text)), " ")
		return nil, &UsageError{Err: fmt.Errorf("ENTRAIN_COMMAND=%s: %w", hparams.Quote(shown), err)}
	}
	return words, nil
}

// errNoCommand is the error of a job whose image and contract name no command.
var errNoCommand = errors.New("no command")

// noCommandError says where a command can be given. With onlyTrain it explains that the platform replaces the
// image's CMD, where the command may be.
func noCommandError(onlyTrain bool, hint string) error {
	const entrypoint = `["/usr/local/bin/entrain", "run", "--", "python3", "/opt/train.py"]`
	if onlyTrain {
		return &UsageError{Err: fmt.Errorf("%w: %s", errNoCommand, `the only word was "train", `+
			"which SageMaker appends to an ENTRYPOINT in place of the image's CMD\n"+
			"hint: put the whole command into the ENTRYPOINT, such as "+entrypoint+"\n"+
			`hint: to run a program named "train", put it into PATH, or add --keep-train`+hint)}
	}
	return &UsageError{Err: fmt.Errorf("%w: %s", errNoCommand, "expected one after --, "+
		"in ENTRAIN_COMMAND or SAGEMAKER_PROGRAM, or a program \"train\" in PATH\n"+
		"hint: ENTRYPOINT "+entrypoint+hint)}
}

// misspeltParamHint is the hint that the name of a hyperparameter looks like sagemaker_program, such as
// sagemakerProgram. It is empty if no name does.
func misspeltParamHint(job *contract.Job) string {
	const program = "sagemaker_program"
	for _, p := range job.Params {
		if p.Name != program && contract.NearestName(p.Name, []string{program}) != "" {
			return "\nhint: there is a hyperparameter " + hparams.Quote(p.Name) + "; did you mean " + program + "?"
		}
	}
	return ""
}

// misspeltProgramHint is the hint that the name of a variable looks like SAGEMAKER_PROGRAM. It is empty if no
// name does.
func misspeltProgramHint(env []string) string {
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
