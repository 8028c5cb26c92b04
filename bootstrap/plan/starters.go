package plan

import (
	"path"
	"slices"
	"strings"
)

// starterOf returns the program that starts ranks by itself, if the command is one: by its name, as a module
// of Python, behind a wrapper such as env, or as a command in the program text of a shell. It is empty for
// any other command.
func starterOf(words []string) string {
	words = withoutWrappers(words)
	if len(words) == 0 {
		return ""
	}
	in := findInterpreter(interpreters(), words[0])
	switch {
	case path.Base(words[0]) == "accelerate" && len(words) > 1 && words[1] != "launch":
		return "" // its other commands start nothing
	case isStarter(words[0]):
		return path.Base(words[0])
	case in == nil:
		return ""
	case in.posix:
		return starterInText(words)
	case in.names[0] == "python":
		if module := pythonModule(words[1:]); isStarter(module) || slices.Contains(starterModules(), module) {
			return path.Base(words[0]) + " -m " + module
		}
		if script := pythonScript(words[1:]); isStarter(script) {
			return path.Base(words[0]) + " " + script
		}
	}
	return ""
}

// isStarter says whether a program's name or path is that of a starter. Debian appends the kind of MPI:
// mpirun.openmpi.
func isStarter(program string) bool {
	name := path.Base(program)
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".openmpi"), ".mpich")
	return slices.Contains([]string{
		"torchrun", "accelerate", "deepspeed", "composer", "mpirun", "mpiexec", "mpiexec.hydra", "horovodrun",
		"orterun", "prterun",
	}, name)
}

// starterModules are the modules by which Python starts the same programs.
func starterModules() []string {
	return []string{
		"torch.distributed.run", "torch.distributed.launch", "accelerate.commands.launch",
		"accelerate.commands.accelerate_cli", "deepspeed.launcher.runner", "deepspeed.launcher.launch",
		"composer.cli.launcher", "horovod.runner.launch", "horovod.runner",
	}
}

// withoutWrappers drops programs that only start another one in front of a command, with their options, their
// numbers and their variables.
func withoutWrappers(words []string) []string {
	wrappers := []string{
		"env", "nice", "ionice", "timeout", "stdbuf", "time", "nohup", "setsid", "numactl", "taskset", "tini",
		"dumb-init", "exec", "chrt",
	}
	for len(words) > 0 && slices.Contains(wrappers, path.Base(words[0])) {
		words = words[1:]
		for len(words) > 0 && isOfWrapper(words[0]) {
			taken := 1
			if slices.Contains([]string{"-u", "-C", "-s"}, words[0]) { // the options whose value is no number
				taken = min(2, len(words))
			}
			words = words[taken:]
		}
	}
	return words
}

// isOfWrapper says whether a word is an option, a number or a variable of a wrapper.
func isOfWrapper(word string) bool {
	return word == "" || word == "--" || isOption(word) || strings.Contains(word, "=") ||
		word[0] >= '0' && word[0] <= '9'
}

// pythonScript returns the script that Python runs; empty for none. The words are those after Python.
func pythonScript(words []string) string {
	for i := 0; i < len(words); i++ {
		switch word := words[i]; {
		case !isOption(word):
			return word
		case strings.HasPrefix(word, "--"):
		case strings.HasSuffix(word, "W"), strings.HasSuffix(word, "X"):
			i++ // its value is the next word
		case strings.ContainsAny(word, "WX"):
		case strings.ContainsAny(word, "cm"):
			return "" // it runs a text or a module
		}
	}
	return ""
}

// pythonModule returns the module that Python runs by -m; empty for none. The words are those after Python.
func pythonModule(words []string) string {
	for i := 0; i < len(words) && isOption(words[i]); i++ {
		word := words[i]
		at := strings.IndexByte(word, 'm')
		switch {
		case strings.HasPrefix(word, "--"):
		case strings.ContainsAny(word, "WX"):
			if strings.HasSuffix(word, "W") || strings.HasSuffix(word, "X") {
				i++ // its value is the next word
			}
		case at > 0 && at+1 < len(word):
			return word[at+1:]
		case at > 0 && i+1 < len(words):
			return words[i+1]
		}
	}
	return ""
}

// starterInText looks for a starter where a command begins in the program text of a shell.
func starterInText(words []string) string {
	texts := programTexts(words)
	before := []string{"&&", "||", ";", "|", "exec", "then", "do", "else", "{", "(", "!"}
	for i, text := range texts {
		if !text {
			continue
		}
		begins := true
		for word := range strings.FieldsSeq(words[i]) {
			if begins && isStarter(word) {
				return path.Base(word)
			}
			begins = slices.Contains(before, word) || strings.HasSuffix(word, ";") ||
				begins && strings.Contains(word, "=")
		}
	}
	return ""
}
