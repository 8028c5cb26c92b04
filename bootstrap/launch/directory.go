package launch

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"

	"entrain/bootstrap/output"
	"entrain/bootstrap/plan"
	"entrain/mpi"
	"entrain/mpi/remote"
	"entrain/proc"
)

// Open makes what the launcher and the ranks find on this host. It comes before the release, so that whoever is released can
// use it.
func (h *Host) Open(ctx context.Context) error {
	dir := h.launch.Dir
	if err := makePrivate(dir); err != nil {
		return err
	}
	env := strings.Join(h.plan.Command.Env, "\x00") + "\x00"
	if err := output.Atomically(dir+"/"+plan.FileEnvironment, strings.NewReader(env), 0o600); err != nil {
		return err
	}
	if err := os.Symlink(h.launch.Rank[0], dir+"/"+plan.FileRsh); err != nil {
		return &output.Error{What: dir + "/" + plan.FileRsh, Err: err}
	}
	var err error
	if h.local, err = h.world.Serve(dir, Calls{Remote: h.session, Began: h.rankBegan}); err != nil {
		return &output.Error{What: "a socket in " + dir, Err: err}
	}
	if h.rendezvous == nil {
		return nil
	}
	h.agent, err = h.newAgent(ctx)
	return err
}

// makePrivate makes an empty directory that only this user can enter.
func makePrivate(dir string) error {
	var info syscall.Stat_t
	if err := syscall.Lstat(dir, &info); err == nil {
		switch {
		case info.Mode != syscall.S_IFDIR|0o700 || int(info.Uid) != os.Getuid():
			return &output.Error{What: dir, Err: errors.New("it exists, and entrain did not make it\nhint: remove it")}
		case remote.InUse(dir):
			return &plan.UsageError{Err: errors.New("another entrain runs this job in this container, with " + dir)}
		}
		if err := os.RemoveAll(dir); err != nil { // an earlier run's
			return &output.Error{What: dir, Err: err}
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return &output.Error{What: dir, Err: errors.New(output.Reason(err) + "\nhint: MPI needs a writable /tmp, such as a tmpfs")}
	}
	return nil
}

// removeDirectory removes what Open made. In a container that ends it does not matter if that fails.
func removeDirectory(dir string) { _ = os.RemoveAll(dir) }

// startDaemon starts a daemon of the launcher on this host, asked for by words as a remote shell gets them.
func (h *Host) startDaemon(words []string, files [3]*os.File, ended func(code int)) (kill func(), err error) {
	daemon, err := mpi.ParseDaemon(words, h.plan.Command.Env)
	if err != nil {
		return nil, err
	}
	env := append(daemon.Env, h.plan.Command.Env...) // of equal names the first counts
	return h.world.Start(proc.Cmd{Argv: daemon.Argv, Env: env, Dir: h.plan.Command.Dir}, files, ended)
}
