package bootstrap

import (
	"context"
	"time"

	"entrain/hostwait/rendezvous"
)

// verdict is whether a launcher that ended with 0 has done its work: all sessions and the ranks of this host have ended
// well. A stop before any rank has begun leaves no work that can be done well; after it only the launcher's word counts.
func (l *launching) verdict() error {
	l.within(l.patience()/2, &l.sessions, &l.attended)
	begun := l.hasBegunSoon()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.launch.Script:
		return nil // it knows what it has made of them
	case l.stopping && !begun:
		return &rendezvous.PeerError{Host: l.host(), Code: stoppedCode, Text: stoppedEarly}
	case l.lost != nil:
		// It is told under its own host's name. Where an agent was killed, the daemons end because of that.
		l.fault(l.lost.Host, rendezvous.End{Code: l.lost.Code, Text: l.lost.Text, At: l.lostAt, Follows: l.orphan != nil})
		return l.lost
	case !begun:
		return &rendezvous.PeerError{Host: l.host(), Code: 1, Text: "the launcher ended with exit code 0, but no rank has begun"}
	case l.stopping:
		return nil
	case l.working > 0:
		return l.abandoned()
	case l.failed == nil:
		return nil
	}
	return l.failed
}

// abandoned is what a job ends with whose launcher ended with 0 before its ranks had.
func (l *launching) abandoned() *rendezvous.PeerError {
	return &rendezvous.PeerError{Host: l.host(), Code: 1, Text: "the launcher ended with exit code 0 while ranks were at work here"}
}

// hasCutShort says whether ranks of this host were ended that the launcher's 0 did not wait for. How a rank ended may be
// on its way yet when the last process of this host is gone.
func (l *launching) hasCutShort() bool {
	l.within(settle, &l.attended)
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.stopping && !l.launch.Script && l.failed != nil
}

// hasBegunSoon is hasBegun, with time for the word of another host's rank to arrive.
func (l *launching) hasBegunSoon() bool {
	ticker := time.NewTicker(settle / 50)
	defer ticker.Stop()
	for end := time.Now().Add(settle); !l.hasBegun() && !l.launch.Script && time.Now().Before(end); {
		<-ticker.C
	}
	return l.hasBegun()
}

// reason tells the others what this host knows to be behind the launcher's failure, before they hear of that. Some launchers
// end at once when a host is lost, and the rendezvous needs a moment longer to notice it.
func (l *launching) reason(code int) {
	l.mu.Lock()
	orphan := l.orphan
	l.mu.Unlock()
	if orphan != nil {
		orphan()
	}
	if lost := code == 255 || code == 205; !lost || l.m == nil { // Hydra's and PRRTE's, and ORTE's
		return
	}
	wait, cancel := context.WithTimeout(l.m.context(), min(3*time.Second, l.m.plan.PeerTimeout/3)+settle)
	defer cancel()
	<-wait.Done()
}
