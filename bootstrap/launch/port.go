package launch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"entrain/bootstrap/peers"
	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/mpi/remote"
)

// watchPort fails the launch when a daemon of this host cannot reach the launcher on the leader. Without it
// such a launch would hang: a daemon waits for minutes, and says nothing. ended gets the daemon's exit code.
func (h *Host) watchPort(daemon mpi.Daemon, ended <-chan int) {
	if h.rendezvous == nil || h.machine.leads {
		return
	}
	addrs := h.resolve(daemon.Upstream())
	if len(addrs) == 0 {
		return // the daemon's words do not tell: --launch-timeout bounds the launch
	}
	watch := portWatch{h: h, addrs: addrs, start: time.Now()}
	ticker, bound := time.NewTicker(portPoll), time.NewTimer(portBound(peerTimeout(h.plan)))
	defer ticker.Stop()
	defer bound.Stop()
	for {
		select {
		case code := <-ended:
			h.explainDaemon(code, addrs)
			return
		case <-h.launcherOver:
			return
		case <-ticker.C:
			if watch.isOver() {
				return
			}
		case <-bound.C:
			if !watch.isOver() && watch.reach == remote.ReachPending {
				text := h.unreachable(watch.at)
				h.portIsClosed(rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: time.Now()})
			}
			return
		}
	}
}

// portWatch looks again and again whether a daemon has reached its launcher.
type portWatch struct {
	h        *Host
	addrs    []netip.AddrPort // the addresses of the launcher
	start    time.Time
	reach    remote.Reach   // what the last look has found
	at       netip.AddrPort // the address of it
	reported bool           // the log says that a connection is pending
}

// isOver looks, and says whether the daemon has surely reached its launcher. A rank has begun then, or a
// connection stands. A connection that is pending for long is said in the log.
func (w *portWatch) isOver() bool {
	w.reach, w.at = w.h.effects.ReachOf(w.addrs)
	if w.reach == remote.ReachConnected || w.h.hasBegunHere() {
		return true
	}
	if w.reach == remote.ReachPending && !w.reported && time.Since(w.start) >= portSilence {
		w.h.log.Warn().Msgf("%s %s", w.h.name(), w.h.unreachable(w.at))
		w.reported = true
	}
	return false
}

// unreachable says that this host cannot reach the launcher, without the name of this host.
func (h *Host) unreachable(at netip.AddrPort) string {
	return h.noWayTo(at) + ": the security group must admit all ports between the job's hosts"
}

// noWayTo is unreachable without the cause.
func (h *Host) noWayTo(at netip.AddrPort) string {
	const format = "cannot reach port %d of %s (%s), where MPI listens"
	return fmt.Sprintf(format, at.Port(), hostNames(h.launch)[0], at.Addr())
}

// explainDaemon looks why a daemon has failed: the launcher's addresses may refuse connections. If
// one of them takes a connection, the daemon has ended for another reason, and this host keeps the
// connection: Hydra ends when one is closed.
//
// The addresses of a launcher that has just ended refuse too. The launcher's end is then the reason, since it
// came first: both failures count as those that follow from another.
func (h *Host) explainDaemon(code int, addrs []netip.AddrPort) {
	if code == 0 || h.hasBegunHere() {
		return
	}
	at := time.Now().Add(-clockError)
	ctx, cancel := context.WithTimeout(h.context(), portDialBound)
	defer cancel()
	var refused error
	for _, addr := range addrs {
		conn, err := h.effects.Dial(ctx, addr)
		if err == nil {
			h.work.Go(func() {
				<-h.closed
				_ = conn.Close()
			})
			return
		}
		refused = err
	}
	if ctx.Err() != nil {
		return // nobody has answered: that says nothing about a daemon that ended by itself
	}
	why := refused.Error()
	if number, ok := errors.AsType[syscall.Errno](refused); ok {
		why = number.Error() // without the words of package net
	}
	text := fmt.Sprintf("%s: %s", h.noWayTo(addrs[0]), why)
	h.portIsClosed(rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: at, Follows: true})
}

// portIsClosed fails the launch. A script decides itself what to do about it.
func (h *Host) portIsClosed(end rendezvous.End) {
	if !h.launch.Script {
		h.handle(daemonHelpless, nil, &launchFailure{h.name(), end})
	}
}

// hasBegunHere says whether a rank has begun on this host.
func (h *Host) hasBegunHere() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.machine.begun
}

// resolve looks up the addresses of HOST:PORT texts. It leaves out a name that does not resolve: the daemon
// then ends by itself.
func (h *Host) resolve(texts []string) []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, text := range texts {
		if addr, err := netip.ParseAddrPort(text); err == nil {
			addrs = append(addrs, addr)
			continue
		}
		name, port, _ := net.SplitHostPort(text) // Upstream has joined them
		number, _ := strconv.ParseUint(port, 10, 16)
		ctx, cancel := context.WithTimeout(h.context(), portLookupBound)
		found, _ := peers.Lookup(h.plan.Rendezvous)(ctx, name)
		cancel()
		for _, addr := range found {
			addrs = append(addrs, netip.AddrPortFrom(addr, uint16(number)))
		}
	}
	return addrs
}
