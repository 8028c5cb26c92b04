package proc

import (
	"fmt"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

// The signals of 1 to 31 that were ignored, and all that were blocked, when this program was started, bit N-1 for
// signal N. (Of the others glibc's posix_spawn leaves two ignored, always, and so does the runtime.) The Go runtime
// puts its own handlers in their place before any Go code runs, and a trainer would start with defaults
// instead; so the entry point in entry_*.s looks first.
var inheritedIgnored, inheritedBlocked uint64

// restore brings this thread back to what was inherited, for the execve(2) that follows.
func restore(ignored, blocked uint64) error {
	if ignored|blocked == 0 {
		return nil
	}
	runtime.LockOSThread() // the mask is a thread's own
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

// relayed is the command by way of a relay, if what was inherited needs one.
func relayed(path string, argv []string) (string, []string) {
	if inheritedIgnored|inheritedBlocked == 0 {
		return path, argv
	}
	relay := []string{"entrain", relayWord, strconv.FormatUint(inheritedIgnored, 16), strconv.FormatUint(inheritedBlocked, 16), path}
	return "/proc/self/exe", append(relay, argv...)
}

// Relay is what a relay does; in any other process it does nothing. It comes first in main.
func Relay(args, env []string) error {
	if len(args) < 6 || args[1] != relayWord {
		return nil
	}
	ignored, err1 := strconv.ParseUint(args[2], 16, 64)
	blocked, err2 := strconv.ParseUint(args[3], 16, 64)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("%s %s: want hexadecimal numbers", args[2], args[3])
	}
	if err := restore(ignored, blocked); err != nil {
		return err
	}
	return startError(args[5], syscall.Exec(args[4], args[5:], env))
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
