package proc

import (
	"errors"
	"sync"
	"syscall"
	"time"
)

// Team is several programs that Run starts in place of one: the ranks of a host. Run ends when all of them
// have ended. It passes a signal that it got on to each of them.
type Team struct {
	members []*Member

	mu      sync.Mutex // held to start, to signal and to reap: no signal reaches a number that is reaped
	running int
	writing sync.Mutex     // held for each write of what the programs have written
	oomKill int            // processes that were killed for lack of memory, and that a member's end tells of
	work    sync.WaitGroup // calls of Member.Ended
}

// Member is one program of a team.
type Member struct {
	Cmd Cmd
	Tag string // put in front of each line of the program; empty for none
	// Ended is called once, in a goroutine of its own, when the program has ended. Run waits for its return.
	Ended func(Exit)

	pid     int // 0 before the start
	ended   bool
	stopped bool // a signal has stopped it
	told    bool // it got SIGTERM
	started time.Time
	output  outputs
}

// NewTeam makes a team of programs that have not started.
func NewTeam(members ...*Member) *Team { return &Team{members: members} }

// Terminate sends SIGTERM to every program that runs and has not had one. A team that has not started ignores
// it.
func (t *Team) Terminate(group bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.members {
		if m.told {
			continue
		}
		if m.send(syscall.SIGTERM, group); m.stopped {
			m.send(syscall.SIGCONT, group) // else it could not act on its SIGTERM
		}
	}
}

// send sends a signal to a program that runs, or to its process group.
func (m *Member) send(sig syscall.Signal, group bool) {
	if m.pid == 0 || m.ended {
		return
	}
	m.told = m.told || sig == syscall.SIGTERM
	target := m.pid
	if group {
		target = -m.pid
	}
	_ = syscall.Kill(target, sig) // where it has ended by itself, the next reap says so
}

// signal sends a signal to every program that runs.
func (t *Team) signal(sig syscall.Signal, group bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.members {
		m.send(sig, group)
	}
}

// start starts all programs. Several programs read no standard input, since they could not share it. If one
// does not start, the error is its *StartError, and those before it are killed.
func (t *Team) start(o *Options) error {
	stdin := uintptr(o.Stdin)
	if len(t.members) > 1 {
		null, err := Null()
		if err != nil {
			return err
		}
		defer null.Close()
		stdin = null.Fd()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.oomKill = OOMKills()
	for _, m := range t.members {
		if err := m.start(t, stdin, o); err != nil {
			t.abandon()
			return err
		}
		t.running++
	}
	return nil
}

// start starts a program.
func (m *Member) start(t *Team, stdin uintptr, o *Options) error {
	var err error
	if m.output, err = newOutputs(o, m.Tag, &t.writing, o.NoCapture); err != nil {
		return err
	}
	if len(t.members) > 1 {
		m.output.readInPieces(teamPiece)
	}
	m.started = time.Now()
	pid, err := fork(m.Cmd, m.output.files(stdin), false)
	m.output.start()
	if err != nil {
		return errors.Join(err, m.output.finish())
	}
	m.pid = pid
	return nil
}

// teamPiece is how many bytes of a member's stderr are read at once. The buffer of a program alone would be
// too much for each of eight members.
const teamPiece = 16 << 10

// abandon kills the programs that were started.
func (t *Team) abandon() {
	for _, m := range t.members {
		if m.pid == 0 {
			continue
		}
		_ = syscall.Kill(-m.pid, syscall.SIGKILL)
		_, _ = syscall.Wait4(m.pid, nil, 0, nil)
		m.ended = true
		_ = m.output.finish()
	}
}

// isOver says whether all programs that were started have ended. It is false for no team.
func (t *Team) isOver() bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running == 0
}

// wait4 is Guests.wait4. It notes the end of a member; the caller need not know of that.
func (t *Team) wait4(r *run, status *syscall.WaitStatus, options int) (pid int, err error) {
	if t == nil {
		return r.o.Guests.wait4(status, options)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	pid, err = r.o.Guests.wait4(status, options)
	if err != nil || pid <= 0 {
		return pid, err
	}
	for _, m := range t.members {
		if m.pid != pid || m.ended {
			continue
		}
		if m.stopped = status.Stopped(); !m.stopped && !status.Continued() {
			t.tellEnd(m, r.memberExit(m, *status))
		}
	}
	return pid, nil
}

// waitForCalls waits for the calls of Member.Ended. It first tells the end of those programs that hang in the
// kernel and outlive SIGKILL.
func (t *Team) waitForCalls(r *run) {
	if t == nil {
		return
	}
	t.mu.Lock()
	for _, m := range t.members {
		if !m.ended {
			t.tellEnd(m, r.memberExit(m, syscall.WaitStatus(syscall.SIGKILL)))
		}
	}
	t.mu.Unlock()
	t.work.Wait()
}

// memberExit is how a member ended, without its stderr.
func (r *run) memberExit(m *Member, status syscall.WaitStatus) Exit {
	exit := Exit{Code: exitCode(status), Told: m.told || r.exit.Killed, At: time.Now()}
	exit.Elapsed = exit.At.Sub(m.started)
	if status.Signaled() {
		exit.Signal, exit.CoreDumped = status.Signal(), status.CoreDump()
		exit.Killed = r.exit.Killed && exit.Signal == syscall.SIGKILL
	}
	return exit
}

// tellEnd notes an end. It calls Ended in a goroutine, since the last lines of stderr may be on their way.
// The first member that fails tells of the processes that the kernel has killed for lack of memory.
func (t *Team) tellEnd(m *Member, exit Exit) {
	m.ended = true
	t.running--
	if exit.Code != 0 {
		total := OOMKills()
		exit.OOMKills = max(0, total-t.oomKill)
		t.oomKill = total
	}
	t.work.Go(func() {
		exit.Stderr = m.output.stderr.keptSoFar()
		m.Ended(exit)
	})
}

// finish passes on what the programs have written, once no process is left. It returns the errors of that.
func (t *Team) finish() error {
	if t == nil {
		return nil
	}
	var errs []error
	for _, m := range t.members {
		if m.pid != 0 {
			errs = append(errs, m.output.finish())
		}
	}
	return errors.Join(errs...)
}

// unfinished says whether the last line of a program lacks its newline.
func (t *Team) unfinished() bool {
	if t == nil {
		return false
	}
	for _, m := range t.members {
		if m.pid != 0 && m.output.stderr.unfinished() {
			return true
		}
	}
	return false
}
