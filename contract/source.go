package contract

import (
	"path"
	"strings"

	"entrain/hparams"
)

// Source is an archive with the job's code. It is unpacked before the job's program can be started.
type Source struct {
	Archive string // its path
	Dir     string // the directory for what is in it, which is missing or empty
}

// Source returns the archive that must be unpacked, and nil for none. As to the training toolkit, an archive
// counts only where ROOT/code is missing or empty, and where the job names a program.
func (j *Job) Source(s *Snapshot) *Source {
	archive := j.codeArchive(s)
	if archive == "" || j.Program(s) == "" || !j.codeIsEmpty(s) || j.CodeDir(s) != j.Dir("code") {
		return nil
	}
	return &Source{Archive: archive, Dir: j.Dir("code")}
}

// codeIsEmpty says whether there is nothing in ROOT/code.
func (j *Job) codeIsEmpty(s *Snapshot) bool {
	entry, exists := s.Paths[j.Dir("code")]
	return !exists || entry.Kind == KindDir && entry.Empty && entry.Problem == ""
}

// codeArchive returns the path of the archive that brings the job's code: the one that the hyperparameter
// sagemaker_submit_directory names, else the one in the channel "code". It is empty where there is none.
func (j *Job) codeArchive(s *Snapshot) string {
	submit, submits := j.Params.Get(submitParam)
	switch entry, exists := s.Paths[j.archivePath()]; {
	case submits && isArchive(submit.Text):
		return submit.Text
	case !submits && exists && entry.Kind == KindFile:
		return j.archivePath()
	}
	return ""
}

// isArchive says whether a hyperparameter names a local archive. Whether there is one is another question.
func isArchive(name string) bool {
	return path.IsAbs(name) && (strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz"))
}

// IgnoredArchive returns the archive that is not unpacked because ROOT/code has files of its own. It is empty
// where there is none.
func (j *Job) IgnoredArchive(s *Snapshot) string {
	if j.Program(s) == "" || s.Unpacked || j.codeIsEmpty(s) {
		return ""
	}
	return j.codeArchive(s)
}

// checkSource reports an archive that cannot be unpacked. What is in it shows only when it is.
func (c *codeCheck) checkSource(source *Source) {
	problem := c.pathProblem(source.Archive)
	if problem == "" {
		return
	}
	pos := nowhere
	if submit, ok := c.job.Params.Find(submitParam); ok {
		pos = submit.Raw.Pos
	}
	c.fail(pos, `the channel "code" brings it to a job without network access`,
		"hyperparameter %s: %s %s, expected the archive with the code",
		hparams.Quote(submitParam), source.Archive, problem)
}
