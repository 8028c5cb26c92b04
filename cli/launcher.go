//go:build linux

package cli

import (
	"fmt"
	"io"
	"path/filepath"

	"entrain/bootstrap"
	"entrain/bootstrap/plan"
)

// rankVerb is here for the help alone: calledByLauncher does what it says.
func (c *command) rankVerb() *verb {
	v := newVerb("rank", "start a rank's trainer in its host's environment; an MPI launcher calls it",
		"DIR [--keep NAME]… [--tag] -- COMMAND…", c.unknownVerb, nil)
	v.Hidden = true
	return v
}

// rshVerb is here for the help alone: calledByLauncher does what it says.
func (c *command) rshVerb() *verb {
	v := newVerb("rsh", "start an MPI launcher's daemon on another host of the job; the launcher calls it",
		"HOST WORD…", c.unknownVerb, nil)
	v.Hidden = true
	return v
}

// calledByLauncher carries out the calls of an MPI launcher: entrain rank for each rank, and entrain rsh, or
// the link of that name, for each host. It runs before the command line is parsed: one launcher makes many of
// these calls, and waits for the last one.
func calledByLauncher(args, env []string, stderr io.Writer) (code int, called bool) {
	if len(args) > 2 && (args[2] == "--help" || args[2] == "-h") {
		return 0, false // the verbs have the help
	}
	var err error
	switch {
	case filepath.Base(args[0]) == plan.RshName:
		code, err = bootstrap.Rsh(filepath.Dir(args[0]), args[1:], env)
	case len(args) > 1 && args[1] == "rsh":
		dir, _ := plan.Getenv(env, plan.DirVariable)
		code, err = bootstrap.Rsh(dir, args[2:], env)
	case len(args) > 1 && args[1] == "rank":
		err = bootstrap.Rank(args[2:], env)
		code = bootstrap.ExitCode(err)
		if bootstrap.Ran(err) {
			return code, true // the trainer has printed its own errors
		}
	default:
		return 0, false
	}
	if err != nil {
		text := plan.MaskEnv(env, args)(err.Error())
		_, _ = fmt.Fprint(stderr, logLines("entrain: error: ", text)) // no other place is left to report to
	}
	return code, true
}
