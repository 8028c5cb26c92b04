package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/report"
	"entrain/bootstrap/report/cause"
	"entrain/contract"
	"entrain/mpi"
	"entrain/mpi/remote"
	"entrain/proc"
)

// RunRank is what a launcher starts on every host, once a rank: it gives the trainer the environment that this host's run
// computed, and the rank's own variables, and is its init.
func RunRank(args, env []string) error {
	dir, keep, words, err := rankWords(args)
	if err != nil {
		return err
	}
	signals := proc.Catch()
	data, err := os.ReadFile(dir + "/" + plan.FileEnvironment)
	if err != nil {
		return fmt.Errorf("the environment of this host: %w\nhint: entrain run starts the launcher that starts this", err)
	}
	rank, err := mpi.RankOf(env)
	if err != nil {
		return &plan.UsageError{Err: err}
	}
	env = rankEnv(strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00"), env, keep)
	addr, _ := contract.Getenv(env, "MASTER_ADDR")
	port, _ := contract.Getenv(env, "MASTER_PORT")
	cmd, err := rankCommand(words, env, rank.Env(addr, port))
	if err != nil {
		return err
	}
	run, err := remote.Register(dir+"/"+remote.SocketName, rank.Rank)
	if err != nil {
		return err
	}
	_ = os.Chdir("/") // so that a mount can go away under us
	return supervise(run, signals, cmd)
}

// rankWords reads DIR [--keep NAME]… -- COMMAND….
func rankWords(args []string) (dir string, keep, words []string, err error) {
	end := slices.Index(args, "--")
	if end < 1 || end+1 == len(args) {
		return "", nil, nil, &plan.UsageError{Err: errors.New("expected entrain rank DIR [--keep NAME]… -- COMMAND…\nhint: entrain run makes these words")}
	}
	for pair := range slices.Chunk(args[1:end], 2) {
		if pair[0] != "--keep" || len(pair) == 1 {
			return "", nil, nil, &plan.UsageError{Err: fmt.Errorf("entrain rank: unexpected word %q", pair[0])}
		}
		keep = append(keep, pair[1])
	}
	return args[0], keep, args[end+1:], nil
}

// rankEnv is this host's environment, and what the launcher adds to it. A launcher that carries the leader's variables to
// all hosts does not get through with them, but for those that the user has asked it to carry, and for a search path
// that it has put its own directories in front of.
func rankEnv(host, launcher, keep []string) []string {
	env := make([]string, 0, len(host)+len(launcher))
	known := make(map[string]bool, len(host))
	for _, kv := range host {
		name, value, _ := strings.Cut(kv, "=")
		known[name] = true
		theirs, there := contract.Getenv(launcher, name)
		longer := (name == "PATH" || name == "LD_LIBRARY_PATH") && strings.HasSuffix(theirs, value)
		if there && (longer || isKept(keep, name)) {
			kv = name + "=" + theirs
		}
		env = append(env, kv)
	}
	for _, kv := range launcher {
		if name, _, _ := strings.Cut(kv, "="); !known[name] {
			env = append(env, kv)
		}
	}
	return env
}

// isKept says whether a name is one of keep, in which a last * stands for any rest.
func isKept(keep []string, name string) bool {
	return slices.ContainsFunc(keep, func(k string) bool {
		prefix, open := strings.CutSuffix(k, "*")
		return k == name || open && strings.HasPrefix(name, prefix)
	})
}

// rankCommand is the trainer, its words filled in with this host's variables. What is the rank's own comes in the place of
// any that the host has.
func rankCommand(words, env, own []string) (proc.Cmd, error) {
	words, err := plan.ExpandWords(words, env)
	if err != nil {
		return proc.Cmd{}, err
	}
	env = slices.DeleteFunc(env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return plan.IsSet(own, name)
	})
	dir, err := os.Getwd()
	return proc.Cmd{Argv: words, Env: append(env, own...), Dir: dir}, err
}

// supervise runs the trainer of a rank. When it was told to stop it lingers after the trainer's end until it may leave: a
// launcher that sees one rank go cuts short the others, which may still save their checkpoints.
func supervise(run *remote.RankClient, signals *proc.Signals, cmd proc.Cmd) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { // until the process ends
		<-run.Stopped()
		stop()
	}()
	secrets := contract.SecretsOfEnv(cmd.Env, cmd.Argv...)
	tell := func(err error, exit proc.Exit) {
		text := secrets.Mask(report.Summary(err))
		starved := exit.OOMKills > 0 && exit.Signal == syscall.SIGKILL // the SIGTERM came while the kernel took its memory back
		// Where the run is gone there is nobody to tell, and soon no container.
		_ = run.Ended(remote.RankEnd{Code: report.ExitCode(err), Signal: int(exit.Signal), Text: text, At: exit.At, Told: exit.Told && !starved})
	}
	ended := func(exit proc.Exit) error { return report.FailureOf(cmd.Argv[0], exit, "") }
	exit, err := proc.Run(ctx, signals, cmd, proc.Options{
		Grace: rankGrace, Marker: cause.Marker,
		Ended: func(exit proc.Exit) { tell(ended(exit), exit) }, // at once: a launcher may be about to kill us
	})
	if err != nil {
		tell(err, proc.Exit{At: time.Now()}) // it was never started
		return err
	}
	if ctx.Err() != nil {
		<-run.Left()
	}
	return ended(exit)
}

// Ran says whether a rank's trainer ran: how it ended is then known by its own words.
func Ran(err error) bool { _, ran := errors.AsType[*proc.ExitError](err); return ran }
