package remote

// The exit codes that this package gives of its own. All others are those of commands, with 128+n for signal
// n.
const (
	// CodeSSHError stands for the code of a command that is not known, since the launch failed or the host is
	// lost. It is ssh's code for its own errors (ssh(1), EXIT STATUS).
	CodeSSHError = 255
	// CodeNotStarted is the code of a command that a host refuses or cannot start. A shell gives it for a
	// command that it finds and cannot execute (POSIX XCU 2.8.2).
	CodeNotStarted = 126
)

const (
	maxCode   = 255 // the largest exit code: wait(2) gives eight bits
	maxSignal = 64  // the largest signal of Linux
)
