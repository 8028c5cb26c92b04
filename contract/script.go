package contract

import (
	"path"
	"slices"
	"strings"

	"entrain/hparams"
)

// shellPath is the program that a shell script without a first line #! is for.
const shellPath = "/bin/sh"

// ScriptWords returns the command of the job's own program: the file that Program names in CodeDir.
//
// A package is started as a module by the first Python in PATH. A Python script is started by the first
// interpreter in PATH, and by that of its first line if PATH has none. Any other program is started by itself
// if this user can execute it, and by its interpreter if not (see FileWords). The training toolkit and the
// drivers set the x bit instead. A .sh without such a line is started by /bin/sh where there is one, as a
// shell would do.
func (j *Job) ScriptWords(s *Snapshot) []string {
	script := path.Join(j.CodeDir(s), j.Program(s))
	entry := s.Paths[script]
	hasPython := s.Programs["python3"] || s.Programs["python"]
	switch {
	case j.isPackage(s):
		return []string{python(s), "-m", strings.ReplaceAll(j.Program(s), ".py", "")}
	case strings.HasSuffix(script, ".py") && (hasPython || len(entry.Shebang) == 0):
		return []string{python(s), script}
	case strings.HasSuffix(script, ".sh") && len(entry.Shebang) == 0:
		return append(s.interpreterOf(script), script)
	}
	return s.FileWords(script, script)
}

// FileWords returns the words that start a file of Paths, which the command calls name. That is the file
// itself if this user can execute it. The code of a channel never has the x bit, and a mount may run no
// programs: there the interpreter of its first line starts it.
func (s *Snapshot) FileWords(file, name string) []string {
	if s.Paths[file].Unrunnable == "" {
		return []string{name}
	}
	return append(s.interpreterOf(file), name)
}

// interpreterOf returns the words in front of a file that another program has to start: the interpreter of
// its first line, else that of its name. There are none if there is no such interpreter.
func (s *Snapshot) interpreterOf(file string) []string {
	entry := s.Paths[file]
	shell, hasShell := s.Paths[shellPath]
	switch {
	case len(entry.Shebang) > 0 && !entry.lacksInterpreter():
		return slices.Clone(entry.Shebang)
	case len(entry.Shebang) > 0 || entry.ELF:
	case strings.HasSuffix(file, ".py"):
		return []string{python(s)}
	case strings.HasSuffix(file, ".sh") && hasShell && shell.Unrunnable == "" && !entry.Marked:
		return []string{shellPath}
	}
	return nil
}

// StartPaths returns the paths that FileWords asks for.
func StartPaths(file string) []string { return []string{file, shellPath} }

// endsWithReturn tells whether the first line ends as in a file of Windows. The carriage return then belongs
// to the last word, and the kernel finds no such interpreter.
func (e Entry) endsWithReturn() bool {
	n := len(e.Shebang)
	return n > 0 && strings.HasSuffix(e.Shebang[n-1], "\r")
}

// lacksInterpreter tells whether the first line names an interpreter that cannot start the file.
func (e Entry) lacksInterpreter() bool { return e.NoInterpreter || e.endsWithReturn() }

// isUnrunnable tells whether the job's program can be started neither by itself nor by an interpreter.
func (c *codeCheck) isUnrunnable() bool {
	return c.snap.Paths[c.script].Unrunnable != "" && c.job.ScriptWords(c.snap)[0] == c.script
}

// failUnrunnable reports a program that nothing can start.
func (c *codeCheck) failUnrunnable() {
	message, hint := c.job.unrunnable(c.snap, c.script)
	c.failScript(hint, message)
}

const hintForMark = "save it as UTF-8 without a byte order mark (BOM)"

// failMarked reports a program whose first line a byte order mark hides. A shell would report that line as an
// unknown command, and go on.
func (c *codeCheck) failMarked() {
	c.failScript(hintForMark, c.script+" begins with a byte order mark, which hides the #! of its first line")
}

// isMarked tells whether a byte order mark keeps the program from its interpreter. Python reads over it.
func (c *codeCheck) isMarked() bool {
	return c.snap.Paths[c.script].Marked && !strings.HasSuffix(c.script, ".py")
}

// CheckFile warns of a file of Paths that a command calls name and that nothing can start: the start itself
// fails, as of any other command.
func CheckFile(j *Job, s *Snapshot, file, name string) []Problem {
	if s.Paths[file].Unrunnable == "" || len(s.FileWords(file, name)) > 1 {
		return nil
	}
	message, hint := j.unrunnable(s, file)
	return []Problem{{File: "the command", Warning: true, Message: message, Hint: hint}}
}

// unrunnable says why nothing can start a file, and what helps where the file is.
func (j *Job) unrunnable(s *Snapshot, file string) (message, hint string) {
	entry := s.Paths[file]
	message = file + " " + entry.Unrunnable
	first := "begin it with a line such as #!/bin/sh"
	switch {
	case entry.Marked:
		return message + ", and a byte order mark hides its first line", hintForMark
	case entry.endsWithReturn():
		return message + ", and its first line ends with a carriage return",
			"save it with the line ends of Unix"
	case entry.NoInterpreter:
		return message + ", and its first line names the interpreter " + hparams.Quote(entry.Shebang[0]) +
			", which does not exist", "name an interpreter that the image has"
	case entry.ELF:
		first = ""
	default:
		message += " and names no interpreter, expected one of the two"
	}
	or := func(words ...string) string {
		return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), ", or ")
	}
	switch {
	case entry.NoExec:
		return message, or(first, "put it where programs may run")
	case j.IsData(file):
		return message, "the files of a channel are never executable: " + or(first, "put a program into the image")
	}
	return message, or("in the Dockerfile: RUN chmod +x "+file, first)
}

// IsData tells whether a file is one of a channel.
func (j *Job) IsData(file string) bool { return strings.HasPrefix(file, j.DataDir()+"/") }
