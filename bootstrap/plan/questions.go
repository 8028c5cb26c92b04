package plan

import (
	"bytes"
	"slices"

	"entrain/contract"
)

// Scope is how much of the world a verb has to know.
type Scope int

// The scopes. Each holds the one before it.
const (
	ScopeContract Scope = iota // the contract alone
	ScopeTrainer               // the code, the data and the outputs of a trainer too
	ScopeLaunch                // the program that launches the trainer too
)

// Questions says what to look at beside the contract's files, which files holds already.
func Questions(files *contract.Snapshot, o Options, scope Scope) contract.Questions {
	q := contract.Questions{Programs: programs(files, o)}
	job, _ := contract.Load(files) // whoever reads the whole Snapshot reports the problems
	if job == nil {
		return q
	}
	if scope >= ScopeTrainer {
		q.Code, q.Outputs = contract.CodePaths(job, files), contract.OutputPaths(job)
	}
	if scope >= ScopeLaunch && WantsMPI(job, o) {
		q.Launcher, q.Daemons = o.MPIRun, []string{"ssh", "sshd"}
	}
	return q
}

// programs are those that a rule asks for. The SM_TRAINING_ENV of the toolkit says whether two of them are present. A
// script needs Python. "train" is the command where nothing else names one.
func programs(files *contract.Snapshot, o Options) []string {
	names := []string{"smddprun", "smddpmprun"}
	_, script := files.Getenv("SAGEMAKER_PROGRAM")
	if script || bytes.Contains(files.Files[contract.HyperparametersFile].Data, []byte("sagemaker_program")) {
		names = append(names, "python3", "python")
	}
	_, command := files.Getenv(CommandVariable)
	if onlyTrain := slices.Equal(o.Command, []string{trainWord}); !command && (len(o.Command) == 0 || onlyTrain) {
		names = append(names, trainWord)
	}
	return names
}

// Check says what the job asks for and nobody would do, and what a trainer would notice late: outputs that cannot be
// written, and hyperparameters that the command loses.
func Check(job *contract.Job, snap *contract.Snapshot, o Options) []contract.Problem {
	words, given := givenWords(job, snap, o)
	return slices.Concat(
		contract.CheckAsks(job, snap, contract.Call{
			Alone: o.Launcher == LauncherNone, Launched: WantsMPI(job, o), Command: given,
		}),
		contract.CheckOutputs(job, snap),
		checkShell(job, words, o),
	)
}

// givenWords are the words of a command that is given. Where it is given but cannot be read, there are none: Decide then
// says why.
func givenWords(job *contract.Job, snap *contract.Snapshot, o Options) (words []string, given bool) {
	words = o.Command
	if n := len(words); n > 0 && words[n-1] == trainWord && job.Named() && !o.KeepTrain {
		words = words[:n-1]
	}
	if len(words) > 0 {
		return words, true
	}
	text, given := snap.Getenv(CommandVariable)
	if given {
		words, _ = commandWords(text)
	}
	return words, given
}
