package proc

import (
	"errors"
	"os"
	"sync"
	"syscall"
)

// Guests are processes beside the program, or in its place, that somebody starts while Run is at work: the daemons of a
// launcher. Run's loop reaps them, since two who wait for children would steal each other's.
type Guests struct {
	mu      sync.Mutex // held while a process is started or reaped, so that no status comes before its process is known
	waiting map[int]func(code int)
	over    bool
}

// errOver is the error of a guest that comes too late.
var errOver = errors.New("this host is about to end")

// Start starts a process in a session of its own with the given standard descriptors, which stay the caller's. Ended is
// called once, with 128+n where signal n ended it; it may not wait. Kill ends it and all that is below it.
func (g *Guests) Start(cmd Cmd, files [3]uintptr, ended func(code int)) (kill func(), err error) {
	path, lookErr := lookPath(cmd.Argv[0], cmd.Env, cmd.Dir)
	if lookErr != nil {
		return nil, lookErr
	}
	attr := &syscall.ProcAttr{Dir: cmd.Dir, Env: cmd.Env, Files: files[:], Sys: &syscall.SysProcAttr{Setsid: true}}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return nil, errOver
	}
	pid, err := spawn(path, cmd.Argv, attr)
	if err != nil {
		return nil, startError(cmd.Argv[0], err)
	}
	if g.waiting == nil {
		g.waiting = map[int]func(int){}
	}
	g.waiting[pid] = ended
	return func() { g.kill(pid) }, nil
}

func (g *Guests) kill(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting[pid] == nil {
		return // its number may be somebody else's now
	}
	below := descendants(pid)
	signalEach([]int{pid}, syscall.SIGKILL)  // it first: it would see its children end, and leave with a code
	signalEach([]int{-pid}, syscall.SIGKILL) // its session's group, which is all that is known without /proc
	signalEach(below, syscall.SIGKILL)
}

// Wait4 is Wait4(-1), and tells a guest's end to whoever waits for it.
func (g *Guests) wait4(status *syscall.WaitStatus, options int) (pid int, err error) {
	if g == nil {
		return syscall.Wait4(-1, status, options, nil)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	pid, err = syscall.Wait4(-1, status, options, nil)
	ended := g.waiting[pid]
	if err != nil || ended == nil || status.Stopped() || status.Continued() {
		return pid, err
	}
	delete(g.waiting, pid)
	ended(exitCode(*status))
	return pid, nil
}

// close takes no more guests.
func (g *Guests) close() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
}

// exitCode is what a shell would say.
func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// Null is /dev/null, for a guest that needs no standard input.
func Null() (*os.File, error) { return os.OpenFile(os.DevNull, os.O_RDWR, 0) }
