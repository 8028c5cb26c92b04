package proc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The signals of 1 to 31 that were ignored, and all that were blocked, when this program was started, bit N-1 for
// signal N. (glibc's posix_spawn always leaves two of the others ignored.) The Go runtime installs its own handlers before
// any Go code runs, and a trainer would then start with the defaults. So the entry point in entry_linux_*.s records both.
//
// Only a linker that is told so, by -E _entrain_start, uses that entry point; recorded is then 1. In any other build
// recorded is 0, and Catch asks the kernel what the runtime has left ignored.
var inheritedIgnored, inheritedBlocked, recorded uint64

// RecordsInherited says whether this build knows every signal that was ignored when it was started.
func RecordsInherited() bool { return recorded != 0 }

// recordIgnored is for a build without an entry point of its own. The runtime leaves SIGHUP, SIGINT and the signals of job
// control ignored.
func recordIgnored() {
	if recorded != 0 {
		return
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		inheritedIgnored = ignoredByRuntime()
		return
	}
	for line := range strings.Lines(string(status)) {
		if mask, found := strings.CutPrefix(line, "SigIgn:"); found {
			ignored, _ := strconv.ParseUint(strings.TrimSpace(mask), 16, 64) // the kernel writes no other
			inheritedIgnored = ignored & (1<<31 - 1)
		}
	}
}

// ignoredByRuntime is what os/signal says of the two signals that it knows to be ignored.
func ignoredByRuntime() (ignored uint64) {
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(sig) {
			ignored |= 1 << (sig - 1)
		}
	}
	return ignored
}

// restore brings this thread back to what was inherited, for the execve(2) that follows.
func restore(ignored, blocked uint64) error {
	if blocked != 0 {
		runtime.LockOSThread() // for good: the mask is a thread's own
	}
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
	var set unix.Sigset_t
	const wordBits = 8 * unsafe.Sizeof(set.Val[0])
	for bit := range uintptr(64) {
		if blocked>>bit&1 != 0 {
			set.Val[bit/wordBits] |= 1 << (bit % wordBits)
		}
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &set, nil); err != nil {
		return fmt.Errorf("the signal mask: %w", err)
	}
	return nil
}

// relayWord is the first argument of a process that only restores what was inherited and then becomes the program.
// A fork cannot do that itself: the runtime resets its child's handlers.
const relayWord = "__entrain_relay"

// spawn starts a program, by way of a relay if what was inherited needs one. The relay says over a pipe what execve(2) said
// to it; that the pipe ends without a word means that it has become the program.
func spawn(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
	if inheritedIgnored|inheritedBlocked == 0 {
		return syscall.ForkExec(path, argv, attr)
	}
	self, err := ownPath(attr.Dir)
	if err != nil {
		return 0, err
	}
	answer, word, err := os.Pipe()
	if err != nil {
		return 0, fmt.Errorf("a pipe for the relay: %w", err)
	}
	defer answer.Close()
	attr.Files = append(withInherited(attr.Files), word.Fd())
	relay := []string{
		"entrain", relayWord, strconv.FormatUint(inheritedIgnored, 16), strconv.FormatUint(inheritedBlocked, 16),
		strconv.Itoa(len(attr.Files) - 1), path,
	}
	pid, err := syscall.ForkExec(self, append(relay, argv...), attr)
	_ = word.Close()
	if err != nil {
		return 0, err
	}
	if errno := readErrno(answer); errno != 0 {
		_, _ = syscall.Wait4(pid, nil, 0, nil)
		return 0, errno
	}
	return pid, nil
}

// ownPath is this program's file. A link in /proc reaches it even where it was removed. Without /proc the word that this
// program was started by names it, as seen from dir.
func ownPath(dir string) (string, error) {
	const link = "/proc/self/exe"
	if _, err := os.Stat(link); err == nil {
		return link, nil
	}
	path, err := lookPath(os.Args[0], os.Environ(), dir) //nolint:forbidigo // nothing else names this program
	if err != nil {
		return "", fmt.Errorf("this program's own file: %w", err.Err)
	}
	return path, nil
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
func readErrno(answer io.Reader) syscall.Errno {
	var said [1]byte
	_, _ = io.ReadFull(answer, said[:])
	return syscall.Errno(said[0])
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
	_, _ = os.NewFile(uintptr(word), "answer").Write([]byte{byte(errno)})
	return err
}

// sigaction is the kernel's struct. Some architectures have no restorer; what this package sets is zero from there on.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const (
	sigIgn     = 1
	sigsetSize = 8 // bytes
)

func rtSigaction(sig uintptr, act, old *sigaction) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), sigsetSize, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
