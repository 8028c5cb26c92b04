package bootstrap

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"

	"entrain/mpi"
	"entrain/mpi/remote"
	"entrain/proc"
)

// open makes what the launcher and the ranks find on this host. It comes before the release, so that whoever is released can
// use it.
func (l *launching) open(ctx context.Context) error {
	dir := l.launch.Dir
	if err := makePrivate(dir); err != nil {
		return err
	}
	env := strings.Join(l.plan.Command.Env, "\x00") + "\x00"
	if err := writeAtomically(dir+"/"+fileEnvironment, strings.NewReader(env), 0o600); err != nil {
		return err
	}
	if err := os.Symlink(l.launch.Rank[0], dir+"/"+fileRsh); err != nil {
		return &OutputError{What: dir + "/" + fileRsh, Err: err}
	}
	var err error
	if l.local, err = remote.Listen(dir, remote.Handlers{Remote: l.remote, Joined: l.joined}); err != nil {
		return &OutputError{What: "a socket in " + dir, Err: err}
	}
	if l.m == nil {
		return nil
	}
	l.agent, err = l.newAgent(ctx)
	return err
}

// makePrivate makes an empty directory that only this user can enter.
func makePrivate(dir string) error {
	var info syscall.Stat_t
	if err := syscall.Lstat(dir, &info); err == nil {
		switch {
		case info.Mode != syscall.S_IFDIR|0o700 || int(info.Uid) != os.Getuid():
			return &OutputError{What: dir, Err: errors.New("it exists, and entrain did not make it\nhint: remove it")}
		case remote.InUse(dir):
			return &UsageError{Err: errors.New("another entrain runs this job in this container, with " + dir)}
		}
		if err := os.RemoveAll(dir); err != nil { // an earlier run's
			return &OutputError{What: dir, Err: err}
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return &OutputError{What: dir, Err: errors.New(withoutPath(err) + "\nhint: MPI needs a writable /tmp, such as a tmpfs")}
	}
	return nil
}

// close takes away what open made.
func (l *launching) close() {
	l.finish()
	close(l.gone)
	if l.agent != nil {
		l.agent.close()
	}
	if l.local != nil {
		l.local.Close()
	}
	l.work.Wait()
	_ = os.RemoveAll(l.launch.Dir) // in a container that ends
}

// start starts a daemon of the launcher on this host, asked for by words as a remote shell gets them.
func (l *launching) start(words []string, files [3]*os.File, ended func(code int)) (kill func(), err error) {
	daemon, err := mpi.ParseDaemon(words, l.plan.Command.Env)
	if err != nil {
		return nil, err
	}
	env := append(daemon.Env, l.plan.Command.Env...) // of equal names the first counts
	return l.guests.Start(proc.Cmd{Argv: daemon.Argv, Env: env, Dir: l.plan.Command.Dir}, [3]uintptr{files[0].Fd(), files[1].Fd(), files[2].Fd()}, ended)
}
