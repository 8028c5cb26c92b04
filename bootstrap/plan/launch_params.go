package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"entrain/contract"
	"entrain/hparams"
	"entrain/mpi"
)

// decideProcesses is how many ranks there are in all; 0 leaves it to the slots.
func decideProcesses(job *contract.Job, snap *contract.Snapshot) (int, []contract.Problem) {
	v, ok := job.Params.Get(processesParam)
	if !ok {
		return 0, nil
	}
	text := hparams.ToolkitText(v)
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, []contract.Problem{contract.ParamProblem(job, snap, processesParam, "", fmt.Sprintf("it is %s, expected a whole number of at least 1", hparams.Quote(text)))}
	}
	return n, nil
}

// customOptions are the user's own words for mpirun.
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

// setTrainer puts the trainer's words behind the launcher's. entrain rank expands them on each host, since
// SM_CURRENT_HOST differs. It must not expand what a hyperparameter holds.
func (l *Launch) setTrainer(words, args []string) {
	l.Trainer = slices.Concat(words, args)
	texts := programTexts(l.Trainer) // entrain rank leaves them alone
	for i, word := range l.Trainer {
		if i >= len(words) && !texts[i] {
			l.Trainer[i] = unexpanded(word)
		}
		if word == ":" {
			l.Trainer[i] = colon
		}
	}
}

// label is what has to be alike on all hosts.
func (l *Launch) label() string {
	if l == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s by %s", l.Launcher.Family, l.Launcher.Version, l.Agent))
}
