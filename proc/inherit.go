package proc

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The signals of 1 to 31 that were ignored, and all that were blocked, when this program was started, bit N-1 for
// signal N. (Of the others glibc's posix_spawn leaves two ignored, always, and so does the runtime.) The Go runtime
// puts its own handlers in their place before any Go code runs, and a trainer would start with defaults
// instead; so the entry point in entry_*.s looks first.
var inheritedIgnored, inheritedBlocked uint64

// inheritedSlack is how late a timer could come when this program was started, in nanoseconds; below zero where the kernel
// does not say. The entry point makes it a millisecond before the runtime starts its monitor, which would otherwise wake up
// every 70 microseconds while we start: with one CPU a tenth of what that takes. What we start gets the inherited slack.
var inheritedSlack int64

// The slack is a thread's own: the first one, which runs this, needs no other than the inherited once the monitor is there.
func init() { setSlack() } //nolint:gochecknoinits // main need not run on the first thread

func setSlack() {
	if inheritedSlack > 0 {
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(inheritedSlack), 0, 0, 0)
	}
}

// giveSlack gives the inherited slack to this thread, whose child or program has it too. The first thread has it, and is not
// locked: that makes the runtime start another one, and nothing takes us off it within the microseconds until the fork.
func giveSlack() (done func()) {
	if unix.Gettid() == os.Getpid() {
		return func() {}
	}
	runtime.LockOSThread()
	setSlack()
	return runtime.UnlockOSThread
}

// restore brings this thread back to what was inherited, for the execve(2) that follows.
func restore(ignored, blocked uint64) error {
	if blocked != 0 {
		runtime.LockOSThread() // for good: the mask is a thread's own
	}
	giveSlack()
	for n := uintptr(1); n <= 64; n++ {
		if ignored&(1<<(n-1)) == 0 {
			continue
		}
		if err := rtSigaction(n, &sigaction{handler: sigIgn}, nil); err != nil {
			return fmt.Errorf("ignoring signal %d: %w", n, err)
		}
	}
	return setMask(blocked)
}

// setMask says which signals are blocked in this thread, bit N-1 for signal N.
func setMask(blocked uint64) error {
	const set = 2 // SIG_SETMASK
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, set, uintptr(unsafe.Pointer(&blocked)), 0, sigsetSize, 0, 0); errno != 0 {
		return fmt.Errorf("the signal mask: %w", errno)
	}
	return nil
}

// relayWord is the first argument of a process that only restores what was inherited and then becomes the program.
// A fork cannot do that itself: the runtime resets its child's handlers.
const relayWord = "__entrain_relay"

// spawn starts a program, by way of a relay if what was inherited needs one. The relay says over a pipe what execve(2) said
// to it; that the pipe ends without a word means that it has become the program.
func spawn(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
	defer giveSlack()()
	if inheritedIgnored|inheritedBlocked == 0 {
		return syscall.ForkExec(path, argv, attr)
	}
	var word [2]int
	if err := unix.Pipe2(word[:], unix.O_CLOEXEC); err != nil {
		return 0, fmt.Errorf("a pipe for the relay: %w", err)
	}
	defer func() { _ = unix.Close(word[0]) }()
	attr.Files = append(withInherited(attr.Files), uintptr(word[1]))
	relay := []string{
		"entrain", relayWord, strconv.FormatUint(inheritedIgnored, 16), strconv.FormatUint(inheritedBlocked, 16),
		strconv.Itoa(len(attr.Files) - 1), path,
	}
	pid, err := syscall.ForkExec("/proc/self/exe", append(relay, argv...), attr)
	_ = unix.Close(word[1])
	if err != nil {
		return 0, err
	}
	if errno := readErrno(word[0]); errno != 0 {
		_, _ = syscall.Wait4(pid, nil, 0, nil)
		return 0, errno
	}
	return pid, nil
}

// withInherited adds to a child's descriptors those of ours that it would inherit anyhow, up to the first gap.
func withInherited(files []uintptr) []uintptr {
	for fd := uintptr(len(files)); ; fd++ {
		flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			return files
		}
		files = append(files, fd)
	}
}

// readErrno is what a relay says; 0 for nothing.
func readErrno(fd int) syscall.Errno {
	var said [1]byte
	for {
		if _, err := unix.Read(fd, said[:]); !errors.Is(err, unix.EINTR) {
			return syscall.Errno(said[0])
		}
	}
}

// Relay is what a relay does; in any other process it does nothing. It comes early in main, and its error is not for
// the log: whoever started it is told.
func Relay(args, env []string) error {
	if len(args) < 7 || args[1] != relayWord {
		return nil
	}
	ignored, err1 := strconv.ParseUint(args[2], 16, 64)
	blocked, err2 := strconv.ParseUint(args[3], 16, 64)
	word, err3 := strconv.Atoi(args[4])
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	unix.CloseOnExec(word)
	err := restore(ignored, blocked)
	if err == nil {
		err = syscall.Exec(args[5], args[6:], env)
	}
	errno, _ := errors.AsType[syscall.Errno](err)
	_, _ = unix.Write(word, []byte{byte(errno)})
	return err
}

// sigaction is the kernel's struct.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const (
	sigIgn     = 1
	sigsetSize = 8 // bytes
	// handlerFlags are SA_SIGINFO, SA_ONSTACK (the runtime's threads have small stacks), SA_RESTART and
	// SA_RESTORER.
	handlerFlags = 0x4 | 0x08000000 | 0x10000000 | 0x04000000
)

func rtSigaction(sig uintptr, act, old *sigaction) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), sigsetSize, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
