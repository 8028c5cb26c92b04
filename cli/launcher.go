//go:build linux

package cli

import (
	"fmt"
	"io"
	"path/filepath"

	"entrain/bootstrap"
)

// byLauncher is what an MPI launcher calls: entrain rank for each rank, and entrain rsh, or the link of that name, for each
// host. It comes before the command line is looked at, since there may be many of them and everybody waits for the last.
func byLauncher(args, env []string, stderr io.Writer) (code int, called bool) {
	if len(args) > 2 && (args[2] == "--help" || args[2] == "-h") {
		return 0, false // the command line has their help
	}
	var err error
	switch {
	case filepath.Base(args[0]) == bootstrap.RshName:
		code, err = bootstrap.Rsh(filepath.Dir(args[0]), args[1:])
	case len(args) > 1 && args[1] == "rsh":
		dir, _ := bootstrap.Getenv(env, bootstrap.DirVariable)
		code, err = bootstrap.Rsh(dir, args[2:])
	case len(args) > 1 && args[1] == "rank":
		err = bootstrap.Rank(args[2:], env)
		code = bootstrap.ExitCode(err)
		if bootstrap.Ran(err) {
			return code, true // the trainer has said what there is to say
		}
	default:
		return 0, false
	}
	if err != nil {
		text := bootstrap.MaskEnv(env, args)(err.Error())
		_, _ = fmt.Fprint(stderr, logLines("entrain: error: ", text)) // a launcher that does not listen
	}
	return code, true
}
