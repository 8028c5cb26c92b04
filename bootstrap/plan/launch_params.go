package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"entrain/contract"
	"entrain/hparams"
	"entrain/mpi"
)

// The hyperparameters that say how mpirun is called.
const (
	processesParam = "sagemaker_mpi_num_processes"
	optionsParam   = "sagemaker_mpi_custom_mpi_options"
)

// colonReference replaces the word ":" of a trainer's command. Every mpirun takes a ":" for the end of the
// command and offers no way to quote it. The reference is expanded on each host.
const (
	colonVariable  = "ENTRAIN_COLON"
	colonReference = "${" + colonVariable + "}"
)

// launchParams reads the hyperparameters that say how mpirun is called: the number of ranks on all hosts
// together, where 0 means the sum of the slots, and the words that the user adds to mpirun's options. The
// error joins a *hparams.ParamError for each mistake.
func launchParams(job *contract.Job) (processes int, options []string, err error) {
	var errs []error
	if v, ok := job.Params.Get(processesParam); ok {
		if processes, err = countOf(v, MaxSlots*len(job.Together()), WhyMaxSlots); err != nil {
			errs = append(errs, &hparams.ParamError{Name: processesParam, Msg: "it is " + err.Error()})
		}
	}
	if options, err = customOptions(job); err != nil {
		errs = append(errs, &hparams.ParamError{Name: optionsParam, Msg: err.Error()})
	}
	return processes, options, errors.Join(errs...)
}

// customOptions returns the words that the user adds to mpirun's options.
func customOptions(job *contract.Job) ([]string, error) {
	v, ok := job.Params.Get(optionsParam)
	if !ok {
		return nil, nil
	}
	words, err := mpi.SplitWords(hparams.ToolkitText(v))
	if err != nil {
		return nil, fmt.Errorf("%w, expected words quoted as in a shell", err)
	}
	return words, nil
}

// setTrainer sets the trainer's command: words, and then args, the words of the hyperparameters. entrain rank
// expands the words on each host, because variables such as SM_CURRENT_HOST differ between hosts. args are
// escaped, so that entrain rank never expands the value of a hyperparameter. Program text is not escaped,
// because entrain rank does not expand it.
func (l *Launch) setTrainer(words, args []string) {
	l.Trainer = slices.Concat(words, args)
	texts := programTexts(l.Trainer)
	for i, word := range l.Trainer {
		if i >= len(words) && !texts[i] {
			l.Trainer[i] = escapeReferences(word)
		}
		if word == ":" {
			l.Trainer[i] = colonReference
		}
	}
}

// summary names the launcher and the agent, which must be the same on all hosts. It is empty for no launcher.
func (l *Launch) summary() string {
	if l == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s by %s", l.Launcher.Family, l.Launcher.Version, l.Agent))
}
