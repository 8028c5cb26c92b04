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

// The signals from 1 to 31 that were ignored, and all signals that were blocked, when this program was
// started: bit N-1 stands for signal N. (The posix_spawn of glibc always leaves 32 and 33 ignored.) The Go
// runtime installs its own handlers before any Go code runs, and a trainer would then start with the
// defaults. So the entry point in entry_linux_*.s records both masks.
//
// The linker uses that entry point only with -E _entrain_start; recorded is then 1. In any other build
// recorded is 0, and Catch asks the kernel which signals the runtime has left ignored.
var inheritedIgnored, inheritedBlocked, recorded uint64

// RecordsInherited says whether this build knows every signal that was ignored when the program was started.
func RecordsInherited() bool { return recorded != 0 }

// recordIgnored records the ignored signals in a build without an entry point of its own. These are SIGHUP,
// SIGINT and those of job control: the runtime leaves them ignored.
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
			ignored, _ := strconv.ParseUint(strings.TrimSpace(mask), 16, 64) // the kernel writes it so
			inheritedIgnored = ignored & (1<<31 - 1)
		}
	}
}

// ignoredByRuntime gives the ignored signals without /proc. os/signal knows SIGHUP and SIGINT alone.
func ignoredByRuntime() (ignored uint64) {
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(sig) {
			ignored |= 1 << (sig - 1)
		}
	}
	return ignored
}

// restore gives this thread the ignored and blocked signals that were inherited, for the execve(2) that
// follows.
func restore(ignored, blocked uint64) error {
	if blocked != 0 {
		runtime.LockOSThread() // for good, since each thread has its own mask
	}
	for n := uintptr(1); n <= 64; n++ {
		if ignored&(1<<(n-1)) == 0 {
			continue
		}
		if err := ignore(n); err != nil {
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

// relayWord is the first argument of a relay: a process that only restores the inherited signals and then
// becomes the program. The child of a fork cannot do that itself, because the runtime resets its handlers.
const relayWord = "__entrain_relay"

// spawn starts a program, by way of a relay if signals were ignored or blocked. The relay writes the error
// of its execve(2) into a pipe. If the pipe ends without one, the relay has become the program.
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

// ownPath is the path of this program's file, as seen from dir. A link in /proc works even where the file
// was removed. Without /proc, the first word of our own command line names the file.
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

// withInherited adds to a child's descriptors those of ours that it would inherit in any case, up to the
// first that it would not.
func withInherited(files []uintptr) []uintptr {
	for fd := uintptr(len(files)); ; fd++ {
		flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			return files
		}
		files = append(files, fd)
	}
}

// readErrno reads the error that a relay writes; 0 for none.
func readErrno(answer io.Reader) syscall.Errno {
	var said [1]byte
	_, _ = io.ReadFull(answer, said[:])
	return syscall.Errno(said[0])
}

// Relay does the work of a relay. In any other process it does nothing. Call it early in main. Do not log
// its error: the process that started the relay gets it, and reports it.
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

// sigaction is the kernel's struct. Some architectures have no restorer. This package leaves all fields
// after flags at zero.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const (
	sigIgn     = 1 // SIG_IGN
	sigsetSize = 8 // bytes
)

// ignore makes this process ignore a signal, for an execve(2) that follows. signal.Ignore does nothing for
// signals that the Go runtime handles itself, such as SIGSEGV.
func ignore(sig uintptr) error {
	act := &sigaction{handler: sigIgn}
	_, _, errno := syscall.RawSyscall6(
		syscall.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(act)), 0, sigsetSize, 0, 0,
	)
	if errno != 0 {
		return errno
	}
	return nil
}
