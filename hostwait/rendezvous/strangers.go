package rendezvous

import (
	"context"
	"net"
	"slices"
	"time"
)

// noteRefusedPeer notes a peer that can never join: see refusedPeer. If the name of a host that has not
// joined leads to the address of the peer, the peer is that host. Then the job ends, since the others would
// wait for it in vain. A peer from elsewhere ends nothing.
func (l *leader) noteRefusedPeer(conn net.Conn, why string, lacksKey bool, h *hello) {
	from := addrOf(conn.RemoteAddr())
	l.roster.noteRefusal(from, why)
	if !lacksKey {
		return // it need not be entrain
	}
	hosts := l.roster.unjoinedHosts()
	if h != nil {
		hosts = slices.DeleteFunc(hosts, func(host string) bool { return host != h.Host })
	}
	ctx, cancel := context.WithTimeout(l.ctx, requestReadTime)
	defer cancel()
	host := l.sources.hostAt(ctx, hosts, from)
	if host == "" {
		return
	}
	e := End{Code: CodeInvalid, Text: why, At: time.Now()}
	if h != nil && h.Ended != nil && h.Ended.Code != 0 {
		e.Code, e.Text = h.Ended.Code, h.Ended.Text
	}
	l.roster.refuseForGood(host, &e, time.Now())
}

// noteKey notes a peer that begins with TLS, as a host with a cluster key does. The leader has none. Where
// the leader has failed, perhaps since its own key cannot be used, the peer gets that reason.
func (l *leader) noteKey(conn net.Conn) {
	select {
	case <-l.joined:
	case <-l.ctx.Done():
	}
	answerPlain(conn, view{Refused: hasNoKey, First: l.roster.failureOf(l.config.leaderHost())})
	l.noteRefusedPeer(conn, "has a cluster key, and "+l.config.leaderHost()+" has none", true, nil)
}

// failureOf returns the failure of a host, if the job's end is decided and that is the reason.
func (k *roster) failureOf(host string) *failure {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.decided && k.firstFailure.Host == host {
		return k.firstFailure
	}
	return nil
}

// unjoinedHosts returns the hosts that have not joined, and none once all hosts are released.
func (k *roster) unjoinedHosts() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.released > 0 {
		return nil
	}
	var hosts []string
	for _, host := range k.config.Hosts[1:] {
		if k.members[host] == nil {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// refuseForGood notes that a host which has not joined never will. That ends the job.
func (k *roster) refuseForGood(host string, e *End, now time.Time) {
	k.mu.Lock()
	defer k.unlockAndWarn()
	if k.released > 0 || k.members[host] != nil {
		return
	}
	k.members[host] = &member{hello: hello{Member: Member{Host: host}}, ended: true} // it says no more
	k.noteFailure(host, e, now)
	k.announceChange()
}
