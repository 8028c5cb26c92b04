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
)

// Open makes what the launcher and the ranks use on this host: a directory with the remote shell and the
// socket, and the agent. Call it before the hosts are released: a released host may use all of
// it.
func (h *Host) Open(ctx context.Context) error {
	dir := h.launch.Dir
	if err := makePrivate(dir); err != nil {
		return err
	}
	if err := os.Symlink(h.launch.Rank[0], dir+"/"+plan.FileRsh); err != nil {
		return &output.Error{What: dir + "/" + plan.FileRsh, Err: err}
	}
	var err error
	calls := Calls{Remote: h.runDaemon, Began: h.rankBegan, Raised: h.rankRaised}
	if h.local, err = h.effects.Serve(dir, calls); err != nil {
		return &output.Error{What: "a socket in " + dir, Err: err}
	}
	if h.rendezvous == nil {
		return nil
	}
	h.agent, err = h.newAgent(ctx)
	return err
}

// writeMet writes what the launcher and the ranks use and what is known only once the hosts have met: the
// environment of this host's ranks, and the hostfiles of command. No rank begins on this host before that.
func (h *Host) writeMet(met *plan.Plan, command mpi.Launch) error {
	files, err := command.Hostfiles()
	if err != nil {
		return err
	}
	env := strings.Join(met.Command.Env, "\x00") + "\x00"
	files = append(files, mpi.File{Path: h.launch.Dir + "/" + plan.FileEnvironment, Text: env})
	for _, f := range files {
		if err := output.Atomically(f.Path, strings.NewReader(f.Text), 0o600); err != nil {
			return err
		}
	}
	h.mu.Lock()
	h.env = met.Command.Env
	h.mu.Unlock()
	close(h.ready)
	return nil
}

// environment returns the environment of the daemons and the ranks of this host.
func (h *Host) environment() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.env
}

// keepPrivate makes a directory that only this user can enter, unless it is there.
func keepPrivate(dir string) error {
	err := os.Mkdir(dir, 0o700)
	var info syscall.Stat_t
	if isOwn := errors.Is(err, syscall.EEXIST) && syscall.Lstat(dir, &info) == nil &&
		info.Mode == syscall.S_IFDIR|0o700 && int(info.Uid) == os.Getuid(); isOwn {
		return nil
	}
	return err
}

// removeEmpty removes a directory unless something is in it.
func removeEmpty(dir string) { _ = os.Remove(dir) }

// makePrivate makes an empty directory that only this user can enter. It replaces the directory of an earlier
// run, but no directory of another user, and none of a run that is still at work.
func makePrivate(dir string) error {
	var info syscall.Stat_t
	if err := syscall.Lstat(dir, &info); err == nil {
		switch {
		case info.Mode != syscall.S_IFDIR|0o700 || int(info.Uid) != os.Getuid():
			return &output.Error{What: dir, Err: errors.New("it exists, and entrain did not make it\nhint: remove it")}
		case remote.InUse(dir):
			return &plan.UsageError{Err: errors.New("another entrain runs this job in this container, with " + dir)}
		}
		if err := os.RemoveAll(dir); err != nil {
			return &output.Error{What: dir, Err: err}
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return &output.Error{What: dir, Err: errors.New(
			output.Reason(err) + "\nhint: MPI needs a writable /tmp, such as a tmpfs")}
	}
	return nil
}

// removeDirectory removes what Open made. Its error is ignored, since the container usually ends now.
func removeDirectory(dir string) { _ = os.RemoveAll(dir) }
