package launch

import (
	"bytes"
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
	"entrain/bootstrap/trainer"
	"entrain/contract"
	"entrain/mpi"
	"entrain/mpi/remote"
	"entrain/proc"
)

// RunRank does the work of entrain rank, which a launcher starts once for each rank, on the rank's host. It
// runs the trainer, as its init, with the environment that entrain run of this host has computed and the
// rank's own variables. args are DIR [--keep NAME]… [--tag] -- COMMAND…. env is the environment that the
// launcher gives the rank.
func RunRank(args, env []string) error {
	call, err := parseRankWords(args)
	if err != nil {
		return err
	}
	signals := proc.Catch()
	socket := call.dir + "/" + remote.SocketName
	rank, cmd, err := call.prepare(env)
	if err != nil {
		tellUnprepared(socket, env, call.words, err)
		return err
	}
	run, err := remote.Register(socket, rank.Rank)
	if err != nil {
		return err
	}
	_ = os.Chdir("/") // so that this process keeps no mount busy
	return supervise(run, signals, cmd, plan.TagOf(rank.Rank, call.tag))
}

// rankCall is a call of entrain rank.
type rankCall struct {
	dir   string   // plan.Launch.Dir
	kept  []string // the names that the user has asked the launcher to carry
	tag   bool     // each line gets a tag
	words []string // the trainer's command
}

// prepare finds out which rank this is, and makes its trainer's command.
func (c rankCall) prepare(env []string) (mpi.Rank, proc.Cmd, error) {
	data, err := os.ReadFile(c.dir + "/" + plan.FileEnvironment)
	if err != nil {
		return mpi.Rank{}, proc.Cmd{}, fmt.Errorf("the environment of this host: %w\n"+
			"hint: entrain run starts the launcher that starts this", err)
	}
	rank, err := mpi.RankOf(env)
	if err != nil {
		return mpi.Rank{}, proc.Cmd{}, &plan.UsageError{Err: err}
	}
	// An error, as of a process that has just ended, leaves the names in kept alone.
	parent, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid()))
	host := listEnv(data)
	env = rankEnv(host, env, listEnv(parent), c.kept)
	cmd, err := rankCommand(c.words, plan.RankEnv(env, plan.PlaceIn(host, rank), c.dir))
	return rank, cmd, err
}

// tellUnprepared tells this host's run that a rank fails before its trainer starts. Some launchers do not
// notice the end of a rank that has not called MPI_Init: MPICH waits for ever.
func tellUnprepared(socket string, env, words []string, failure error) {
	rank, err := mpi.RankOf(env)
	if err != nil {
		return // nobody knows which rank it is: --launch-timeout bounds the launch
	}
	run, err := remote.Register(socket, rank.Rank)
	if err != nil {
		return // no run is there to be told
	}
	text := contract.SecretsOfEnv(env, words...).Mask(report.Summary(failure))
	_ = run.Ended(remote.RankEnd{Code: report.ExitCode(failure), Text: text, At: time.Now()})
}

// parseRankWords reads DIR [--keep NAME]… [--tag] -- COMMAND….
func parseRankWords(args []string) (c rankCall, err error) {
	end := slices.Index(args, "--")
	if end < 1 || end+1 == len(args) {
		return c, &plan.UsageError{Err: errors.New(
			"expected entrain rank DIR [--keep NAME]… [--tag] -- COMMAND…\nhint: entrain run makes these words")}
	}
	c.dir, c.words = args[0], args[end+1:]
	for rest := args[1:end]; len(rest) > 0; rest = rest[1:] {
		switch {
		case rest[0] == "--tag":
			c.tag = true
		case rest[0] == "--keep" && len(rest) > 1:
			rest = rest[1:]
			c.kept = append(c.kept, rest[0])
		default:
			return c, &plan.UsageError{Err: fmt.Errorf("entrain rank: unexpected word %q", rest[0])}
		}
	}
	return c, nil
}

// listEnv reads an environment whose entries end with NUL.
func listEnv(data []byte) []string {
	text := strings.TrimSuffix(string(data), "\x00")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\x00")
}

// rankEnv is the environment of a rank: this host's variables, and those that the launcher adds. Some
// launchers carry the leader's variables to all hosts. A variable that this host has too keeps this host's
// value, with three exceptions: the names in kept, which the user has asked the launcher to carry; what the
// launcher itself has set, as for an option or a file of parameters; and a search path that the launcher has
// put its own directories in front of.
//
// parent is the environment with which the launcher's process on this host has started. What differs from it
// was set by the launcher.
func rankEnv(host, launcher, parent, kept []string) []string {
	env := make([]string, 0, len(host)+len(launcher))
	known := make(map[string]bool, len(host))
	// The launcher has carried the leader's whole environment, as for -genvall: nobody has asked for each value.
	const nameOfHost = "SM_CURRENT_HOST"
	carriesAll := plan.IsSet(launcher, nameOfHost) && differs(host, launcher, nameOfHost) &&
		!isKept(kept, nameOfHost)
	for _, kv := range host {
		name, value, _ := strings.Cut(kv, "=")
		known[name] = true
		launcherValue, set := contract.Getenv(launcher, name)
		prepended := (name == "PATH" || name == "LD_LIBRARY_PATH") && strings.HasSuffix(launcherValue, value)
		launchers := parent != nil && !carriesAll && differs(parent, launcher, name)
		if set && (prepended || launchers || isKept(kept, name)) {
			kv = name + "=" + launcherValue
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

// differs says whether a variable has another value in one environment than in another, or is not set in one
// of them.
func differs(a, b []string, name string) bool {
	valueA, setA := contract.Getenv(a, name)
	valueB, setB := contract.Getenv(b, name)
	return setA != setB || valueA != valueB
}

// isKept says whether a name matches one of the patterns. A * at the end of a pattern stands for any text.
func isKept(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		prefix, wild := strings.CutSuffix(pattern, "*")
		return pattern == name || wild && strings.HasPrefix(name, prefix)
	})
}

// rankCommand is the trainer's command. The values of env replace ${NAME} in its words.
func rankCommand(words, env []string) (proc.Cmd, error) {
	words, err := plan.ExpandWords(words, env)
	if err != nil {
		return proc.Cmd{}, err
	}
	dir, err := os.Getwd()
	return proc.Cmd{Argv: words, Env: env, Dir: dir}, err
}

// supervise runs the trainer of a rank. After a stop it does not return before the host's run allows the rank
// to leave: a launcher that sees one rank leave ends the others, which may still save their checkpoints.
func supervise(run *remote.RankClient, signals *proc.Signals, cmd proc.Cmd, tag string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { // may go on until the process ends
		<-run.Stopped()
		stop()
	}()
	secrets := contract.SecretsOfEnv(cmd.Env, cmd.Argv...)
	tell := func(err error, exit proc.Exit) {
		path, _ := contract.Getenv(cmd.Env, plan.ErrorFileVariable)
		file, _ := os.ReadFile(path) // most ranks write none
		text := secrets.Mask(report.RankSummary(err, file))
		// The SIGTERM of a trainer that was killed for lack of memory came too late to be the cause of its end.
		killedForMemory := exit.OOMKills > 0 && exit.Signal == syscall.SIGKILL
		// An error says that entrain run of this host has ended. Then nobody needs to know, and the container ends.
		_ = run.Ended(remote.RankEnd{
			Code: report.ExitCode(err), Signal: int(exit.Signal), Text: text, At: exit.At,
			Told: exit.Told && !killedForMemory,
		})
	}
	ended := func(exit proc.Exit) error {
		return report.FailureOf(cmd.Argv[0], exit, plan.ChannelHint(cmd.Env, report.Said(exit)))
	}
	ears := &ears{ // an error: as in tell
		reads:  func(pipe int) { _ = run.Reads(pipe) },
		raised: func(exception string) { _ = run.Raised(secrets.Mask(exception)) },
		abort:  heedAbort(run),
	}
	exit, err := proc.Run(ctx, signals, cmd, proc.Options{
		PipeSize: trainer.StderrPipe, Tag: tag,
		Grace: rankGrace, Marker: cause.Marker,
		Listener: proc.Listener{Listen: ears.listen, Heed: ears.heed},
		// At once, since a launcher may kill this process next.
		Ended: func(exit proc.Exit) {
			ears.close()
			tell(ended(exit), exit)
		},
	})
	if err != nil {
		tell(err, proc.Exit{At: time.Now()}) // the trainer was not started
		return err
	}
	if ctx.Err() != nil {
		<-run.Left()
	}
	return ended(exit)
}

// heedAbort returns a function that gets each piece of a trainer's stderr. It passes MPICH's last words on to
// this host's run: Hydra kills the wrapper of a rank that aborts, and loses what it has not read.
func heedAbort(run *remote.RankClient) func(piece []byte) {
	left := 8 // a program that prints the same words again and again must not flood the run
	return func(piece []byte) {
		const before, most = 1 << 10, 4 << 10 // bytes
		at := bytes.LastIndex(piece, []byte("Abort("))
		if at < 0 || left == 0 {
			return
		}
		left--
		piece = piece[max(0, at-before):]
		_ = run.Said(strings.ToValidUTF8(string(piece[:min(len(piece), most)]), ""))
	}
}

// Ran says whether an error of RunRank is that of a trainer that ran. Its failure is then told already.
func Ran(err error) bool { _, ran := errors.AsType[*proc.ExitError](err); return ran }
