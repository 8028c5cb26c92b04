package contract

import "fmt"

// Output is a directory that a trainer writes to, as the container's user finds it.
type Output struct {
	Kind     Kind
	Empty    bool
	ReadOnly bool   // its mount is
	Problem  string // why nothing can be made in it, e.g. "permission denied"; empty where something can
	Unseen   bool   // the kernel tells neither owner nor permissions
	Dangling bool   // it is a link to nothing
	UID      int    // the owner
	Mode     uint32 // the permissions
}

// OutputPaths are the directories whose content the platform keeps, and the root, in which a missing one
// can be made.
func OutputPaths(j *Job) []string {
	return []string{j.Root, j.Dir("model"), j.Dir("output"), j.Dir("output/data"), j.Dir("checkpoints")}
}

// CheckOutputs warns of places that a trainer cannot write to: it mostly does so at its end, when all is
// paid for.
func CheckOutputs(j *Job, s *Snapshot) []Problem {
	var problems []Problem
	for _, dir := range OutputPaths(j)[1:] {
		o, there := s.Outputs[dir]
		var message, hint string
		switch {
		case !there && dir == j.Dir("model") && s.Outputs[j.Root].Problem != "":
			message = "is missing, and " + j.Root + " cannot be written: " + s.Outputs[j.Root].Problem
			hint = "make it, or mount a directory there"
		case !there:
			continue
		case o.Kind != KindDir && o.Problem == "":
			message, hint = "is no directory, expected one that can be written", "remove it, or mount a directory there"
		case o.Problem != "":
			message, hint = unwritable(o, s.UID)
		default:
			continue
		}
		problems = append(problems, Problem{File: dir, Warning: true, Message: message, Hint: hint})
	}
	return problems
}

// unwritable says why a user cannot write to a directory, and what helps.
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
