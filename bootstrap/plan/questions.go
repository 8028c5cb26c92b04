package plan

import (
	"bytes"
	"slices"

	"entrain/contract"
)

// Scope says how much of the machine a verb must know.
type Scope int

// The scopes. Each includes the one before it.
const (
	ScopeContract Scope = iota // the contract only
	ScopeTrainer               // also the trainer's code and output directories
	ScopeLaunch                // also the program that launches the trainer
)

// Questions says what to look for besides the contract's files. files is a Snapshot that holds those files.
func Questions(files *contract.Snapshot, o Options, scope Scope) contract.Questions {
	instance := contract.InstanceType(files.Files[contract.ResourceFile])
	cores, _ := contract.CoresPerNeuronDevice(instance)
	q := contract.Questions{CoresPerNeuron: cores, Programs: programs(files, o)}
	job, _ := contract.Load(files) // the problems are reported later, from the complete Snapshot
	if job == nil {
		return q
	}
	if scope >= ScopeTrainer {
		words, _ := givenWords(job, files, o)
		q.Code = append(contract.CodePaths(job, files), codeWordPaths(job, files, words)...)
		q.Programs = append(q.Programs, codeWordPrograms(job, files, words)...)
		q.Outputs = contract.OutputPaths(job)
	}
	if scope >= ScopeLaunch && WantsMPI(job, o) {
		q.Launcher, q.Daemons = o.MPIRun, []string{"ssh", "sshd"}
		q.Module = asksForModule(job, files, o)
	}
	q.Interfaces = scope >= ScopeLaunch && len(job.Hosts) > 1
	return q
}

// programs names the programs to look for in PATH. The toolkit's SM_TRAINING_ENV says whether smddprun and
// smddpmprun are present. A script needs Python. "train" is the command if nothing else names one.
func programs(files *contract.Snapshot, o Options) []string {
	names := []string{"smddprun", "smddpmprun"}
	_, script := files.Getenv("SAGEMAKER_PROGRAM")
	hyperparameters := files.Files[contract.HyperparametersFile].Data
	if script || bytes.Contains(hyperparameters, []byte("sagemaker_program")) {
		names = append(names, "python3", "python")
	}
	_, command := files.Getenv(CommandVariable)
	onlyTrain := slices.Equal(o.Command, []string{trainWord})
	if !command && (len(o.Command) == 0 || onlyTrain) {
		names = append(names, trainWord)
	}
	return names
}

// Check reports what the job asks for and entrain would not do, outputs that cannot be written, and
// hyperparameters that the command loses. A trainer would fail of these only late, or never notice.
func Check(job *contract.Job, snap *contract.Snapshot, o Options) []contract.Problem {
	words, given := givenWords(job, snap, o)
	return slices.Concat(
		contract.CheckAsks(job, snap, contract.Call{
			Alone: o.Launcher == LauncherNone, Starter: starter(job, o), Command: given, Installs: o.Install,
		}),
		contract.CheckVariables(job, snap, o.EnvStyle),
		contract.CheckOutputs(job, snap),
		checkFile(job, snap, words),
		checkShellText(job, words, o),
		checkFalse(job, snap, o),
		checkValues(job, snap, o, words),
		checkLauncher(job, snap, o),
	)
}

// CheckInterface reports that this host lacks the interface which the job names. Under MPI that is an error:
// the launcher, its daemons and the ranks are all told to use the interface.
func CheckInterface(job *contract.Job, snap *contract.Snapshot, o Options) []contract.Problem {
	return contract.CheckInterface(job, snap, WantsMPI(job, o) && slices.Contains(job.Together(), job.Host))
}

// givenWords returns the words of a command after -- or in ENTRAIN_COMMAND. It returns no words for a
// variable that cannot be read: Decide reports that.
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
		words, _ = parseCommand(text)
	}
	return words, given
}
