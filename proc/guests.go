package proc

import (
	"errors"
	"os"
	"sync"
	"syscall"
)

// Guests are processes beside the program, or in its place, which start while Run is at work: the daemons
// of a launcher. Run's loop reaps them, since two goroutines that wait for children would steal each
// other's exit statuses.
type Guests struct {
	mu       sync.Mutex             // held to start and to reap: no status comes before its process is known
	onEnd    map[int]func(code int) // by the number of the process
	isClosed bool                   // no more guests can start
}

// errOver is the error of a guest that is to start after the program has ended.
var errOver = errors.New("this host is about to end")

// Start starts a process in a session of its own. Files are its stdin, stdout and stderr, which the caller
// still owns. Guests calls ended once, with the exit code, or with 128+n where signal n ended the process;
// ended must not wait. Kill ends the process and all below it. The error is a *StartError, or says that the
// program has ended.
func (g *Guests) Start(cmd Cmd, files [3]uintptr, ended func(code int)) (kill func(), err error) {
	path, lookErr := lookPath(cmd.Argv[0], cmd.Env, cmd.Dir)
	if lookErr != nil {
		return nil, lookErr
	}
	session := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL} // sshd would stay otherwise
	attr := &syscall.ProcAttr{Dir: cmd.Dir, Env: cmd.Env, Files: files[:], Sys: session}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isClosed {
		return nil, errOver
	}
	pid, err := spawn(path, cmd.Argv, attr)
	if err != nil {
		return nil, startError(cmd.Argv[0], resolve(cmd.Dir, path), err)
	}
	if g.onEnd == nil {
		g.onEnd = map[int]func(int){}
	}
	g.onEnd[pid] = ended
	return func() { g.kill(pid) }, nil
}

func (g *Guests) kill(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.onEnd[pid] == nil {
		return // it has ended, and another process may have its number
	}
	below := descendants(pid)
	signalEach([]int{pid}, syscall.SIGKILL)  // first, or it would see its children end, and exit by itself
	signalEach([]int{-pid}, syscall.SIGKILL) // its process group, which is all that we know without /proc
	signalEach(below, syscall.SIGKILL)
}

// wait4 is wait4(2) for any child. Where a guest has ended, it calls the function that was given to Start.
func (g *Guests) wait4(status *syscall.WaitStatus, options int) (pid int, err error) {
	if g == nil {
		return syscall.Wait4(-1, status, options, nil)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	pid, err = syscall.Wait4(-1, status, options, nil)
	ended := g.onEnd[pid]
	if err != nil || ended == nil || status.Stopped() || status.Continued() {
		return pid, err
	}
	delete(g.onEnd, pid)
	ended(exitCode(*status))
	return pid, nil
}

// close lets no more guests start.
func (g *Guests) close() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.isClosed = true
}

// exitCode is the exit code that a shell would give: 128+n where signal n ended the process.
func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// Null opens /dev/null, for a guest that needs no standard input.
func Null() (*os.File, error) { return os.OpenFile(os.DevNull, os.O_RDWR, 0) }
