package contract

import "fmt"

// Output is what the container's user finds at the path of an output directory.
type Output struct {
	Kind     Kind
	Empty    bool   // a directory without entries
	ReadOnly bool   // it is mounted read-only
	Problem  string // why the user cannot make a file in it, e.g. "permission denied"; empty if the user can
	Unseen   bool   // the kernel shows neither its owner nor its permissions
	Dangling bool   // it is a link to nothing
	UID      int    // the owner
	Mode     uint32 // the permission bits
}

// OutputPaths returns the directories whose content the platform keeps. The first path is the root: there a
// trainer can make a directory that is missing.
func OutputPaths(j *Job) []string {
	return []string{j.Root, j.Dir("model"), j.Dir("output"), j.Dir("output/data"), j.Dir("checkpoints")}
}

// CheckOutputs warns of output directories that the trainer cannot write to. A trainer usually writes at its
// end, so without a warning the whole training would be lost.
func CheckOutputs(j *Job, s *Snapshot) []Problem {
	var problems []Problem
	for _, dir := range OutputPaths(j)[1:] {
		o, exists := s.Outputs[dir]
		var message, hint string
		switch {
		case !exists && dir == j.Dir("model") && s.Outputs[j.Root].Problem != "":
			message = "is missing, and " + j.Root + " cannot be written: " + s.Outputs[j.Root].Problem
			hint = "make it, or mount a directory there"
		case !exists:
			continue
		case o.Kind != KindDir && o.Problem == "":
			message = "is no directory, expected one that can be written"
			hint = "remove it, or mount a directory there"
		case o.Problem != "":
			message, hint = unwritable(o, s.UID)
		default:
			continue
		}
		problems = append(problems, Problem{File: dir, Warning: true, Message: message, Hint: hint})
	}
	return problems
}

// unwritable returns the message and the hint for a directory that the user cannot write to.
func unwritable(o Output, uid int) (message, hint string) {
	message = fmt.Sprintf("cannot be written by uid %d: %s", uid, o.Problem)
	if !o.Unseen {
		message += fmt.Sprintf(" (owner %d, mode %04o)", o.UID, o.Mode)
	}
	switch {
	case o.Dangling:
		hint = "remove the link, or make the directory that it names"
	case o.ReadOnly:
		hint = "mount it so that it can be written"
	default:
		hint = fmt.Sprintf("give it to that user (chown %d), or run the container as its owner", uid)
	}
	return message + ", expected a directory that can", hint
}
