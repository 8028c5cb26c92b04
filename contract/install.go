package contract

import (
	"path"
	"strings"
)

// The files beside the job's program that say what to install.
const (
	requirementsFile = "requirements.txt"
	setupFile        = "setup.py"
)

// isPackage tells whether the job's code is a Python package: to the training toolkit it is where setup.py is
// beside any program but a shell script. A pyproject.toml alone makes no package.
func (j *Job) isPackage(s *Snapshot) bool {
	return !strings.HasSuffix(j.Program(s), ".sh") && j.hasCode(s, setupFile)
}

// hasCode tells whether there is a file of this name in the directory of the job's program.
func (j *Job) hasCode(s *Snapshot, name string) bool {
	entry, exists := s.Paths[path.Join(j.CodeDir(s), name)]
	return exists && entry.Kind == KindFile && entry.Problem == ""
}

// InstallWords returns the command that installs what the job's program needs, and nil for nothing. It is to
// be run in CodeDir. As the training toolkit does, it installs a package, and the requirements of a Python
// program.
func (j *Job) InstallWords(s *Snapshot) []string {
	isPackage := j.isPackage(s)
	hasRequirements := j.hasCode(s, requirementsFile) && (isPackage || strings.HasSuffix(j.Program(s), ".py"))
	if !isPackage && !hasRequirements {
		return nil
	}
	words := []string{python(s), "-m", "pip", "install"}
	if isPackage {
		words = append(words, ".")
	}
	if hasRequirements {
		words = append(words, "-r", requirementsFile)
	}
	return words
}

// python returns the first interpreter in PATH.
func python(s *Snapshot) string {
	if !s.Programs["python3"] && s.Programs["python"] {
		return "python"
	}
	return "python3"
}

// warnOfExtras warns of files beside the script that the toolkit would install, and entrain does not.
func (c *codeCheck) warnOfExtras() {
	if c.given || c.installs || c.script == "" || c.scriptProblem() != "" {
		return
	}
	for _, extra := range []struct{ name, hint string }{
		{requirementsFile, "in the Dockerfile: RUN pip install -r /opt/ml/code/requirements.txt"},
		{setupFile, "in the Dockerfile: RUN pip install /opt/ml/code"},
	} {
		if c.job.hasCode(c.snap, extra.name) {
			dir := c.job.CodeDir(c.snap)
			if dir == c.job.CodeChannel(c.snap) {
				extra.hint = "install in the Dockerfile what it names"
			}
			d := &document{file: path.Join(dir, extra.name), problems: c.problems}
			d.warn(nowhere, extra.hint, "is not installed, as --install off says")
		}
	}
}
