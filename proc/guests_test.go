package proc

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testTimeout is how long a test waits for what must happen.
const testTimeout = 20 * time.Second

// host is a Run in this process, usually without a program.
type host struct {
	guests  *Guests
	leash   *Leash
	signals *Signals
	cancel  context.CancelCauseFunc
	stops   chan error
	done    chan Exit
}

// newHost starts a host. The signals of the test process are caught once, for all tests.
func newHost(t *testing.T, cmd Cmd) *host {
	t.Helper()
	signals := caught()
	ctx, cancel := context.WithCancelCause(t.Context())
	h := &host{
		guests: &Guests{}, leash: NewLeash(signals), signals: signals, cancel: cancel,
		stops: make(chan error, 8), done: make(chan Exit, 1),
	}
	o := Options{
		NoCapture: true, Guests: h.guests, Leash: h.leash,
		Stop: func(cause error) { h.stops <- cause },
	}
	go func() {
		exit, err := Run(ctx, signals, cmd, o)
		if err != nil {
			t.Error(err)
		}
		h.done <- exit
	}()
	return h
}

var caught = sync.OnceValue(Catch)

func (h *host) start(t *testing.T, argv ...string) (ended chan int, kill func()) {
	t.Helper()
	null, err := Null()
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	ended = make(chan int, 1)
	cmd := Cmd{Argv: argv, Env: []string{"PATH=/bin:/usr/bin"}, Dir: "/"}
	files := [3]uintptr{null.Fd(), null.Fd(), null.Fd()}
	kill, err = h.guests.Start(cmd, files, func(code int) { ended <- code })
	if err != nil {
		t.Fatal(err)
	}
	return ended, kill
}

func await[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(testTimeout):
		t.Fatalf("%s: nothing within %s", what, testTimeout)
	}
	panic("not reached")
}

// Each guest gets its own exit code, a guest is killed with all below it, and none starts after the end.
func TestGuestsStartEndAndAreKilled(t *testing.T) {
	h := newHost(t, Cmd{})
	var all []chan int
	for i := range 100 {
		ended, _ := h.start(t, "/bin/sh", "-c", "exit "+strconv.Itoa(i))
		all = append(all, ended)
	}
	for i, ended := range all {
		if code := await(t, "a guest", ended); code != i {
			t.Errorf("guest %d ended with %d", i, code)
		}
	}
	// A guest with two children, one of them in a session of its own.
	ended, kill := h.start(t, "/bin/sh", "-c", "sleep 1000 & setsid sleep 1000 & wait")
	if err := eventually(func() bool { return sleepsBelow() == 2 }); err != nil {
		t.Fatal(err)
	}
	kill()
	if code := await(t, "the killed guest", ended); code != 137 {
		t.Errorf("the killed guest ended with %d", code)
	}
	kill() // nothing happens to a guest that has ended
	missing := Cmd{Argv: []string{"none-such"}, Env: []string{"PATH=/bin"}, Dir: "/"}
	_, err := h.guests.Start(missing, [3]uintptr{}, nil)
	if start, ok := errors.AsType[*StartError](err); !ok || start.Code != 127 {
		t.Errorf("a guest whose program does not exist: %v", err)
	}
	over := errors.New("all is over")
	h.cancel(over)
	if cause := await(t, "Stop", h.stops); !errors.Is(cause, over) {
		t.Errorf("stopped for %v", cause)
	}
	await(t, "the host", h.done)
	_, err = h.guests.Start(Cmd{Argv: []string{"/bin/true"}, Dir: "/"}, [3]uintptr{}, nil)
	if !errors.Is(err, errOver) {
		t.Errorf("a guest after the end: %v", err)
	}
}

// A host without a program stays when its guests have ended, and ends guests when its leash says so.
func TestHostWithoutProgramEndsByItsLeash(t *testing.T) {
	h := newHost(t, Cmd{})
	ignoring, _ := h.start(t, "/bin/sh", "-c", "trap '' TERM; while :; do sleep 1000; done")
	quick, _ := h.start(t, "/bin/sh", "-c", "exec sleep 1000")
	if err := eventually(func() bool { return sleepsBelow() == 2 }); err != nil {
		t.Fatal(err)
	}
	h.signals.Raise(syscall.SIGTERM)
	if cause := await(t, "Stop", h.stops); cause != nil {
		t.Errorf("a SIGTERM stops for %v", cause)
	}
	h.leash.Shorten(time.Hour, time.Hour)
	h.leash.Shorten(0, 300*time.Millisecond)
	if code := await(t, "the quick guest", quick); code != 143 {
		t.Errorf("it ended with %d, want SIGTERM's", code)
	}
	if code := await(t, "the guest that ignores SIGTERM", ignoring); code != 137 {
		t.Errorf("it ended with %d, want SIGKILL's", code)
	}
	if exit := await(t, "the host", h.done); !exit.Killed {
		t.Error("nobody says that something was killed")
	}
}

// A host without any process ends when SIGKILL is due.
func TestHostWithoutProcessEndsAtOnce(t *testing.T) {
	h := newHost(t, Cmd{})
	h.leash.Shorten(0, shrinkAfter+50*time.Millisecond) // after the last chore: nothing else wakes the loop
	await(t, "the host", h.done)
}

// With a leash, only the leash sends the program a SIGTERM.
func TestProgramGetsSIGTERMByItsLeashAlone(t *testing.T) {
	h := newHost(t, Cmd{Argv: []string{"/bin/sleep", "1000"}, Env: []string{"A=b"}, Dir: "/"})
	h.signals.Raise(syscall.SIGTERM)
	if cause := await(t, "Stop", h.stops); cause != nil {
		t.Errorf("a SIGTERM stops for %v", cause)
	}
	h.cancel(errors.New("a host is lost"))
	if cause := await(t, "Stop again", h.stops); cause == nil || cause.Error() != "a host is lost" {
		t.Errorf("the other host's failure stops for %v", cause)
	}
	select {
	case exit := <-h.done:
		t.Fatalf("it ended at once: %+v", exit)
	default:
	}
	h.leash.Shorten(0, time.Hour)
	if exit := await(t, "the program", h.done); exit.Signal != syscall.SIGTERM {
		t.Errorf("it ended with %+v", exit)
	}
}

// A program that ends before a SIGTERM can be passed on was not told to end. The SIGTERM is not lost.
func TestProgramThatEndsBeforeItsSIGTERMIsNotTold(t *testing.T) {
	signals := caught()
	var guests Guests
	done := make(chan Exit, 1)
	terminated := false // else the SIGTERM still waits for the next reader
	go func() {
		exit, err := Run(t.Context(), signals, Cmd{Argv: []string{"/bin/sleep", "1000"}, Dir: "/"}, Options{
			NoCapture: true, Grace: time.Hour, Guests: &guests, Terminated: func() { terminated = true },
		})
		if err != nil {
			t.Error(err)
		}
		done <- exit
	}()
	if err := eventually(func() bool { return sleepsBelow() == 1 }); err != nil {
		t.Fatal(err)
	}
	pid := slices.Max(descendants(os.Getpid()))
	guests.mu.Lock() // the loop cannot reap now
	signals.Raise(syscall.SIGTERM)
	err := syscall.Kill(pid, syscall.SIGKILL)
	err = errors.Join(err, unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil))
	guests.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if exit := await(t, "the program", done); exit.Told || exit.Signal != syscall.SIGKILL {
		t.Errorf("it ended with %+v", exit)
	}
	left := signals.next(time.Now())
	if !terminated && !slices.Contains(left, syscall.SIGTERM) {
		t.Error("the SIGTERM is lost")
	}
}

// eventually waits until a condition holds, for a bounded time.
func eventually(holds func() bool) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(testTimeout); time.Now().Before(end); <-ticker.C {
		if holds() {
			return nil
		}
	}
	return errors.New("the condition does not hold in time")
}

// sleepsBelow counts the processes below this one whose program is sleep.
func sleepsBelow() (n int) {
	for _, pid := range descendants(os.Getpid()) {
		name, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		if err == nil && strings.TrimSpace(string(name)) == "sleep" {
			n++
		}
	}
	return n
}
