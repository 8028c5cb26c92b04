package rendezvous

import (
	"fmt"
	"time"
)

// fail notes a failure; the earliest counts. What follows a stop is no failure.
func (k *cluster) fail(host string, e *End, now time.Time) {
	if k.decided || k.stopped != "" || k.first != nil && !e.order().Before(k.cause.order()) {
		return
	}
	if k.first == nil {
		k.asked = now
	}
	k.first, k.cause = &failure{Host: host, Code: failureCode(e.Code), Text: e.Text}, e
	if k.released == 0 {
		k.decide()
		return
	}
	k.change() // every host answers that at once, unless it is lost
	k.decideSoon()
}

// decideSoon decides on the first failure, if there is one, after a while in which an earlier one may come.
func (k *cluster) decideSoon() {
	if k.first == nil {
		return
	}
	patience := earlierFailureWait
	switch {
	case k.c.Launches && k.cause.Follows && k.over == nil:
		patience = causeWait
	case k.c.Launches:
		patience = earlierFailureWaitLaunched
	}
	time.AfterFunc(patience, func() {
		k.mu.Lock()
		defer k.unlock()
		k.due = true
		k.decideIfDue()
	})
}

// decideIfDue decides once the time for an earlier failure is over, and no host may be lost of which the known one comes.
func (k *cluster) decideIfDue() {
	if !k.due || k.decided || k.first == nil {
		return
	}
	for host := range k.members {
		if !k.loss && k.mayBeLost(host) {
			return
		}
	}
	k.decide()
}

// mayBeLost says whether the first failure may come of the loss of a host: one that has not spoken since that failure was
// heard of, although it was asked to. Who comes back is not lost; else miss says so.
func (k *cluster) mayBeLost(host string) bool {
	m := k.members[host]
	return !m.ended && host != k.c.leader() && host != k.first.Host && m.heard.Before(k.asked) && !k.precedes(m)
}

// precedes says whether the first failure is from a time when a host was still there: it was heard later, or its connection
// broke later. It is not where the two came together, since a trainer may notice that its peer is gone a moment before the
// leader does. A break that is noticed after the host was asked is older than that: an answer takes milliseconds.
func (k *cluster) precedes(m *member) bool {
	if k.first == nil {
		return false
	}
	there := m.heard
	if !m.broken.IsZero() && !m.broken.After(k.asked) {
		there = m.broken
	}
	return k.cause.At.Before(there.Add(-earlierFailureWait))
}

func (k *cluster) decide() {
	if !k.decided {
		k.decided = true
		k.change()
	}
}

// broke notes that the connection of a host's last hello was closed.
func (k *cluster) broke(h *hello, now time.Time) {
	k.mu.Lock()
	defer k.unlock()
	m := k.members[h.Host]
	if m != nil && m.Instance == h.Instance && m.Count == h.Count && m.broken.IsZero() {
		m.broken = now
		k.decideIfDue()
	}
}

// miss looks for hosts that are lost. Before the release they are only forgotten, since they may come again.
func (k *cluster) miss(now time.Time) {
	k.mu.Lock()
	defer k.unlock()
	for host, m := range k.members {
		var why string
		switch {
		case m.ended || host == k.c.leader():
			continue
		case now.Sub(m.heard) > k.c.silenceBound():
			why = fmt.Sprintf("lost: nothing was heard of it for %s (its network is cut, or its host is gone or hangs)", now.Sub(m.heard).Round(time.Second))
		case !m.broken.IsZero() && now.Sub(m.broken) > k.c.reconnectGrace():
			why = "lost: its connection was closed and it did not come back (its container was killed, or its host is gone)"
		default:
			continue
		}
		k.warn(host + ": " + why)
		if k.released == 0 {
			delete(k.members, host)
			continue
		}
		k.lose(host, m, why, now)
	}
	k.decideIfDue()
}

// lose notes the loss of a host. It counts from when the host was heard last, so before all that comes of it; but a failure
// that the host itself has told stands, and so does one from before the break.
func (k *cluster) lose(host string, m *member, why string, now time.Time) {
	m.ended = true
	at := m.heard
	if k.precedes(m) || k.first != nil && k.first.Host == host {
		at = now
	}
	k.fail(host, &End{Code: CodeLost, Text: why, At: at}, now)
	k.loss = k.loss || k.first != nil && k.first.Host == host && k.first.Text == why
	k.quiet = k.quiet || k.stopped != "" && k.isQuiet()
	k.change()
}
