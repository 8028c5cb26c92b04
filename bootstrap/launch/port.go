package launch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"entrain/bootstrap/peers"
	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/mpi/remote"
)

// watchPort fails the launch when a daemon of this host cannot reach the launcher on the leader. Without it
// such a launch would hang: a daemon waits for minutes, and says nothing. ended is closed when the daemon has
// ended.
func (h *Host) watchPort(daemon mpi.Daemon, ended <-chan struct{}) {
	if h.rendezvous == nil || h.machine.leads {
		return
	}
	addrs := h.resolve(daemon.Upstream())
	if len(addrs) == 0 {
		return // the daemon's words do not tell: --launch-timeout bounds the launch
	}
	start, late := time.Now(), false
	ticker, bound := time.NewTicker(portPoll), time.NewTimer(portBound(peerTimeout(h.plan)))
	defer ticker.Stop()
	defer bound.Stop()
	for reported := false; !late; {
		select {
		case <-ended:
			return
		case <-h.launcherOver:
			return
		case <-ticker.C:
		case <-bound.C:
			late = true
		}
		reach, at := h.effects.ReachOf(addrs)
		if reach == remote.ReachConnected || h.hasBegunHere() {
			return
		}
		switch text := h.unreachable(at); {
		case reach == remote.ReachPending && late:
			h.portIsClosed(text)
		case reach == remote.ReachPending && !reported && time.Since(start) >= portSilence:
			h.log.Warn().Msgf("%s %s", h.name(), text)
			reported = true
		}
	}
}

// unreachable says that this host cannot reach the launcher, without the name of this host.
func (h *Host) unreachable(at netip.AddrPort) string {
	const format = "cannot reach port %d of %s (%s), where MPI listens: " +
		"the security group must admit all ports between the job's hosts"
	return fmt.Sprintf(format, at.Port(), hostNames(h.launch)[0], at.Addr())
}

// portIsClosed fails the launch. A script decides itself what to do about it.
func (h *Host) portIsClosed(text string) {
	if h.launch.Script {
		return
	}
	end := rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: time.Now()}
	h.handle(daemonHelpless, nil, &launchFailure{h.name(), end})
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
