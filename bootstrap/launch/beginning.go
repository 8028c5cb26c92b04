package launch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/proc"
)

// launchFailure says why a launch does not succeed.
type launchFailure struct {
	host string // whose failure it is
	end  rendezvous.End
}

// beginning is what a launch still waits for.
type beginning struct {
	host   string   // this host
	absent []string // the hosts on which no rank has begun, in the order of ranks
	all    bool     // no rank has begun on any host
	begun  int      // the ranks that have begun on this host
	slots  int      // the ranks that have to begin on this host; 0 where nobody can say
}

// isOver says whether all ranks have begun, as far as this host knows.
func (b beginning) isOver() bool { return len(b.absent) == 0 && b.begun >= b.slots }

// report says what the launch waits for, in one line of the log.
func (b beginning) report(after time.Duration) string {
	switch {
	case b.all:
		return fmt.Sprintf("no rank has begun on any host yet, after %s", after)
	case len(b.absent) > 0:
		return fmt.Sprintf("no rank has begun on %s yet, after %s", listHosts(b.absent), after)
	}
	return fmt.Sprintf("only %d of the %d ranks of %s have begun, after %s", b.begun, b.slots, b.host, after)
}

// failure is the failure of a launch whose time is over.
func (b beginning) failure(timeout time.Duration) *launchFailure {
	f := &launchFailure{b.host, rendezvous.End{Code: rendezvous.CodeLost, At: time.Now()}}
	const within = "within the --launch-timeout of"
	switch {
	case b.all:
		f.end.Text = fmt.Sprintf("no rank has begun on any host %s %s", within, timeout)
	case len(b.absent) > 0:
		f.host = b.absent[0]
		f.end.Text = fmt.Sprintf("no rank has begun there %s %s", within, timeout)
		if others := b.absent[1:]; len(others) > 0 {
			f.end.Text += ", nor on " + listHosts(others)
		}
	default:
		f.end.Text = fmt.Sprintf("only %d of %d ranks have begun there %s %s", b.begun, b.slots, within, timeout)
	}
	return f
}

// listHosts names the first few hosts, and says how many others there are.
func listHosts(hosts []string) string {
	const named = 10
	if len(hosts) <= named {
		return strings.Join(hosts, ", ")
	}
	return fmt.Sprintf("%s and %d others", strings.Join(hosts[:named], ", "), len(hosts)-named)
}

// watchBeginning fails the launch when ranks have not begun within plan.Launch.Timeout, and says before that
// in the log what the launch waits for. Each host awaits as many of its own ranks as it has slots. The leader
// also awaits a rank on every other host. Where the user's options decide how many ranks run where, any rank
// will do.
func (h *Host) watchBeginning(command mpi.Launch) {
	timeout := h.launch.Timeout
	if timeout == 0 {
		return // a script may start its ranks when it likes
	}
	look := func() beginning { return h.beginning(command) }
	start := time.Now()
	h.work.Go(func() {
		for after := min(firstBeginReport, timeout); ; after = min(2*after, timeout) {
			if h.awaitOver(time.Until(start.Add(after))) || h.context().Err() != nil {
				return
			}
			switch now := look(); {
			case now.isOver():
				return
			case after == timeout && (h.machine.leads || now.begun > 0): // else the leader tells it
				h.handle(ranksLate, nil, now.failure(timeout))
				return
			case after == timeout:
				return
			default:
				h.log.Info().Msg(now.report(after))
			}
		}
	})
}

// beginning looks what the launch still waits for.
func (h *Host) beginning(command mpi.Launch) beginning {
	b := beginning{host: h.name()}
	h.mu.Lock()
	b.begun = len(h.ranks)
	h.mu.Unlock()
	fills, hosts := command.FillsSlots(), hostNames(h.launch)
	if fills {
		b.slots = command.Hosts[slices.Index(hosts, h.name())].Slots
	}
	switch {
	case !h.machine.leads && b.begun == 0 && fills:
		b.absent = []string{h.name()}
	case !h.machine.leads:
	case !h.hasBegun():
		b.absent, b.all = hosts, len(hosts) > 1
	case fills && h.rendezvous != nil:
		// The rendezvous may have hosts that belong to no launch.
		b.absent = slices.DeleteFunc(h.rendezvous.NotBegun(), func(host string) bool {
			return !slices.Contains(hosts, host)
		})
	}
	return b
}

// tellAbsent tells on which host no rank had begun when the launcher failed, if ranks of other hosts had.
// Open MPI ends when the wrapper of a rank dies, and first ends the other ranks: their ends then look like
// the cause. A rank that failed by itself before that stays the first failure.
func (h *Host) tellAbsent(command mpi.Launch, exit proc.Exit) {
	known, b := h.knowledge(true), h.beginning(command)
	if exit.Code == 0 || known.script || known.ending || known.daemonFailure != nil {
		return
	}
	if len(b.absent) > 0 && !b.all {
		const text = "the launcher ended before a rank had begun there"
		h.tellFault(b.absent[0], rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: exit.At})
	}
}

// tellLaunchFailure tells all hosts why the launch does not succeed.
func (h *Host) tellLaunchFailure(f *launchFailure) {
	h.mu.Lock()
	if h.reasons.launchFailure == nil {
		h.reasons.launchFailure = &rendezvous.PeerError{Host: f.host, Code: f.end.Code, Text: f.end.Text}
	}
	h.mu.Unlock()
	h.tellFault(f.host, f.end)
}
