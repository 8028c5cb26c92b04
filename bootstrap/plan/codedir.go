package plan

import (
	"path"
	"strings"

	"entrain/contract"
)

// commandDir returns the directory in which a command of the user starts. It is the working directory, unless
// the command names a file which that lacks and the channel "code" has.
func commandDir(job *contract.Job, snap *contract.Snapshot, words []string) string {
	has := func(dir, name string) bool {
		entry, exists := snap.Paths[path.Join(dir, name)]
		return exists && entry.Problem == ""
	}
	channel, inChannel := job.CodeChannel(snap), false
	for _, name := range codeNames(words, isUnknown(snap, words)) {
		if has(snap.Dir, name) {
			return snap.Dir
		}
		inChannel = inChannel || channel != "" && has(channel, name)
	}
	if inChannel {
		return channel
	}
	return snap.Dir
}

// isUnknown tells whether a command's program has no slash and PATH is known to lack it.
func isUnknown(snap *contract.Snapshot, words []string) bool {
	if len(words) == 0 || strings.Contains(words[0], "/") {
		return false
	}
	inPath, asked := snap.Programs[words[0]]
	return asked && !inPath
}

// programFile returns the path of a command's program if a channel has it, and the name by which it starts
// in the command's directory. Both are empty for any other program.
func programFile(job *contract.Job, snap *contract.Snapshot, words []string) (file, name string) {
	if len(words) == 0 {
		return "", ""
	}
	name = words[0]
	if isUnknown(snap, words) {
		name = "./" + name
	}
	file = path.Clean(absolute(commandDir(job, snap, words), inChannel(job, name)))
	if !strings.Contains(name, "/") || !job.IsData(file) {
		return "", ""
	}
	if entry, exists := snap.Paths[file]; !exists || entry.Kind != contract.KindFile || entry.Problem != "" {
		return "", ""
	}
	return file, name
}

// inChannel returns a program's name with the directory of a channel in place of its variable, which is
// expanded only later.
func inChannel(job *contract.Job, name string) string {
	rest, found := strings.CutPrefix(name, "${"+channelPrefix)
	if !found {
		return name
	}
	upper, file, _ := strings.Cut(rest, "}/")
	for _, c := range job.Channels {
		if strings.ToUpper(c.Name) == upper {
			return path.Join(job.ChannelPath(c), file)
		}
	}
	return name
}

// startFile changes a command whose program is a file of a channel into words that start it.
func startFile(job *contract.Job, snap *contract.Snapshot, words []string) []string {
	file, name := programFile(job, snap, words)
	if file == "" {
		return words
	}
	return append(snap.FileWords(file, name), words[1:]...)
}

// checkFile warns of a command whose program is a file of a channel that nothing can start.
func checkFile(job *contract.Job, snap *contract.Snapshot, words []string) []contract.Problem {
	file, name := programFile(job, snap, words)
	return contract.CheckFile(job, snap, file, name)
}

// codeWordPaths returns the paths that commandDir and programFile ask for.
func codeWordPaths(job *contract.Job, files *contract.Snapshot, words []string) []string {
	var paths []string
	if len(words) > 0 {
		if file := path.Clean(inChannel(job, words[0])); job.IsData(file) {
			paths = contract.StartPaths(file)
		}
	}
	channel := job.CodeChannel(files)
	if channel == "" {
		return paths
	}
	for _, name := range codeNames(words, true) {
		paths = append(paths, path.Join(files.Dir, name))
		paths = append(paths, contract.StartPaths(path.Join(channel, name))...)
	}
	return paths
}

// codeWordPrograms returns the programs that programFile asks PATH for.
func codeWordPrograms(job *contract.Job, files *contract.Snapshot, words []string) []string {
	if len(words) == 0 || job.CodeChannel(files) == "" || words[0] == trainWord {
		return nil
	}
	names := []string{"python3", "python"}
	if !strings.Contains(words[0], "/") {
		names = append(names, words[0])
	}
	return names
}

// codeNames returns the relative paths of files that may be the code of a command: its words, and the module
// behind Python's -m. The first word counts without a slash only if PATH lacks it.
func codeNames(words []string, unknown bool) []string {
	const most, longest = 16, 255
	var names []string
	for i, word := range words[:min(len(words), most)] {
		isProgram := i == 0 && !unknown && !strings.Contains(word, "/") // it is looked up in PATH
		switch {
		case word == "", isProgram, len(word) > longest, strings.HasPrefix(word, "-"), path.IsAbs(word),
			strings.ContainsAny(word, "\x00\n${}"):
		case i > 0 && words[i-1] == "-m":
			module, _, _ := strings.Cut(word, ".")
			names = append(names, module, module+".py")
		default:
			names = append(names, word)
		}
	}
	return names
}
