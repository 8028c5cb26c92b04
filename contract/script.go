package contract

import (
	"path"
	"slices"
	"strings"
)

// shellPath is the program that a shell script without a first line #! is for.
const shellPath = "/bin/sh"

// ScriptWords returns the command of the job's own program: the file that Program names in CodeDir.
//
// A package is started as a module by the first Python in PATH. A Python script is started by the first
// interpreter in PATH, and by that of its first line if PATH has none. Any other program is started by itself
// if this user can execute it. The code of a channel never has the x bit, and a mount may run no programs:
// there a script is started by the interpreter of its first line. The training toolkit and the drivers set
// the x bit instead. A .sh without such a line is started by /bin/sh where there is one, as a shell would do.
func (j *Job) ScriptWords(s *Snapshot) []string {
	script := path.Join(j.CodeDir(s), j.Program(s))
	entry := s.Paths[script]
	isShell := strings.HasSuffix(script, ".sh")
	shell, hasShell := s.Paths[shellPath]
	hasPython := s.Programs["python3"] || s.Programs["python"]
	switch {
	case j.isPackage(s):
		return []string{python(s), "-m", strings.ReplaceAll(j.Program(s), ".py", "")}
	case strings.HasSuffix(script, ".py") && (hasPython || len(entry.Shebang) == 0):
		return []string{python(s), script}
	case entry.Unrunnable != "" && len(entry.Shebang) > 0:
		return append(slices.Clone(entry.Shebang), script)
	case isShell && len(entry.Shebang) == 0 && hasShell && shell.Unrunnable == "":
		return []string{shellPath, script}
	}
	return []string{script}
}

// isUnrunnable tells whether the job's program can be started neither by itself nor by an interpreter.
func (c *codeCheck) isUnrunnable() bool {
	return c.snap.Paths[c.script].Unrunnable != "" && c.job.ScriptWords(c.snap)[0] == c.script
}

// failUnrunnable reports a program that nothing can start.
func (c *codeCheck) failUnrunnable() {
	const first = "begin it with a line such as #!/bin/sh"
	entry := c.snap.Paths[c.script]
	hint := "in the Dockerfile: RUN chmod +x " + c.script + "; or " + first
	switch {
	case entry.NoExec:
		hint = first + ", or put it where programs may run"
	case strings.HasPrefix(c.script, c.job.DataDir()+"/"):
		hint = "the files of a channel are never executable: " + first + ", or put a program into the image"
	}
	c.failScript(hint, c.script+" "+entry.Unrunnable+" and names no interpreter, expected one of the two")
}
