package plan

import (
	"path"
	"slices"
	"strings"

	"entrain/contract"
)

// mpi4py is the Python module of MPI. Run by python3 -m mpi4py, a script that raises an exception ends all
// ranks. Run by itself, it waits for them in MPI_Finalize for ever.
const mpi4py = "mpi4py"

// startsByMPI says whether the launcher of MPI starts the command on this host.
func (p *Plan) startsByMPI(job *contract.Job, o Options) bool {
	return WantsMPI(job, o) && o.Launcher != LauncherScript && p.Together.IsMember()
}

// asksForModule names the Python module whose presence decides the command: mpi4py, for the job's own script
// under MPI.
func asksForModule(job *contract.Job, files *contract.Snapshot, o Options) string {
	_, given := givenWords(job, files, o)
	if given || !WantsMPI(job, o) || !strings.HasSuffix(job.Program(files), ".py") {
		return ""
	}
	return mpi4py
}

// throughMPI4Py starts the job's own Python script through mpi4py, as the SageMaker toolkit does, if the
// image has it. A command of the user stays as it is: the plan notes what to write.
func (p *Plan) throughMPI4Py(
	job *contract.Job, snap *contract.Snapshot, o Options, words []string,
) []string {
	if !p.startsByMPI(job, o) || len(words) < 2 || !isPython(words[0]) || !strings.HasSuffix(words[1], ".py") {
		return words
	}
	if has, asked := snap.Modules[mpi4py]; asked && has {
		return slices.Insert(slices.Clone(words), 1, "-m", mpi4py)
	} else if asked {
		return words // the script uses MPI in another way, or not at all
	}
	better := quoteWords([]string{words[0], "-m", mpi4py, words[1]})
	p.Remarks = append(p.Remarks, "a script with mpi4py whose rank raises an exception waits for the other "+
		"ranks for ever; started as "+better+", it ends the job")
	return words
}

// isPython says whether a word starts Python: python, python3, python3.12, with or without a path.
func isPython(word string) bool {
	version, ok := strings.CutPrefix(path.Base(word), "python")
	return ok && strings.Trim(version, "0123456789.") == ""
}
