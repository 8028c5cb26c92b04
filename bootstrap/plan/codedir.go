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
	for _, name := range codeNames(words) {
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

// codeWordPaths returns the paths that commandDir asks for.
func codeWordPaths(job *contract.Job, files *contract.Snapshot, words []string) []string {
	channel := job.CodeChannel(files)
	if channel == "" {
		return nil
	}
	var paths []string
	for _, name := range codeNames(words) {
		paths = append(paths, path.Join(files.Dir, name), path.Join(channel, name))
	}
	return paths
}

// codeNames returns the relative paths of files that may be the code of a command: its words, and the module
// behind Python's -m.
func codeNames(words []string) []string {
	const most, longest = 16, 255
	var names []string
	for i, word := range words[:min(len(words), most)] {
		isProgram := i == 0 && !strings.Contains(word, "/") // it is looked up in PATH
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
