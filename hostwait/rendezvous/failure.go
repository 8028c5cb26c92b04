package rendezvous

import (
	"fmt"
	"time"
)

// noteFailure notes the end of a host that failed. Of several failures the earliest counts. Failures after
// a stop do not count.
func (k *roster) noteFailure(host string, e *End, now time.Time) {
	isLater := k.firstFailure != nil && !e.countsAt().Before(k.firstEnd.countsAt())
	isOver := k.config.UntilLeader && k.launcherCode != nil
	if k.decided || k.stoppedHost != "" || isLater || isOver {
		return
	}
	isFirst := k.firstFailure == nil
	asks := isFirst || k.firstEnd.At.Before(e.At)
	k.firstFailure, k.firstEnd = &failure{Host: host, Code: failureCode(e.Code), Text: e.Text}, e
	k.firstTeller = host
	if k.released == 0 {
		k.decideFirst()
		return
	}
	k.announceChange() // every host that is not lost answers at once
	if isFirst {
		k.firstHeardAt = now
	}
	if asks {
		k.firstSeq = k.seq
	}
	k.decideLater()
}

// noteEnd notes that the work of a host has ended.
func (k *roster) noteEnd(m *member, h *hello, now time.Time) {
	if h.Ended == nil || m.ended {
		return
	}
	m.ended = true
	switch code := h.Ended.Code; {
	case h.Host != k.config.leaderHost():
	case k.config.Launches:
		k.launcherCode, k.launcherEnd = &code, h.Ended
		k.decideLater()
	case k.config.UntilLeader && code == 0 && !k.decided:
		k.launcherCode, k.firstFailure = &code, nil // what fails at the same moment may follow from it
	}
	if h.Ended.Code != 0 {
		k.noteFailure(h.Host, m.endByLeaderClock(h.Ended), now)
	}
	k.announceChange()
}

// decideLater decides on the first failure, if there is one, after the time in which an earlier one may be
// heard of.
func (k *roster) decideLater() {
	if k.firstFailure == nil {
		return
	}
	wait := earlierFailureWait
	switch {
	case (k.config.Launches || k.config.OwnRanks) && k.firstEnd.Follows && k.launcherCode == nil:
		wait = causeWait
	case k.config.Launches:
		wait = earlierFailureWaitLaunched
	}
	restarts := k.restarts
	time.AfterFunc(wait, func() {
		k.mu.Lock()
		defer k.unlockAndWarn()
		if k.restarts != restarts {
			return // the failure is forgotten
		}
		k.waitIsOver = true
		k.decideIfDue()
	})
}

// decideIfDue decides on the first failure once the wait for an earlier one is over, unless the loss of a
// host may still turn out to be earlier.
func (k *roster) decideIfDue() {
	if !k.waitIsOver || k.decided || k.firstFailure == nil {
		return
	}
	for host := range k.members {
		if k.mayFollowLossOf(host) {
			return
		}
	}
	k.decideFirst()
}

// mayFollowLossOf reports whether the first failure may follow from the loss of a host: the host has not
// said hello since it could know of a failure, although that change asks every host to, and its loss would
// count before the failure. If the host is lost, findLost will find it. If it comes back, it is not lost. The
// clock of a hello does not show that the host knew: the network may have held the hello up. What the leader
// tells of a host, such as the end of a daemon there, may follow from the loss of that host too.
func (k *roster) mayFollowLossOf(host string) bool {
	m := k.members[host]
	return !m.ended && host != k.config.leaderHost() && host != k.firstTeller &&
		m.Seen < k.firstSeq && k.lossMoment(m).Before(k.firstEnd.countsAt())
}

// lossMoment is the moment from which the loss of a host counts: earlierFailureWait before its last hello, or
// before its connection broke.
func (k *roster) lossMoment(m *member) time.Time { return k.aliveAt(m).Add(-earlierFailureWait) }

// isOlderThanBreakOf reports whether the first failure happened while a host was certainly alive: before its
// last hello, or before its connection broke. A trainer may notice the loss of its peer a moment before the
// leader does. So a failure that comes within earlierFailureWait before the break may still follow from it. A
// break that the leader notices after it asked all hosts says nothing, since a living host would have
// answered within milliseconds.
func (k *roster) isOlderThanBreakOf(m *member) bool {
	if k.firstFailure == nil {
		return false
	}
	return k.firstEnd.At.Before(k.aliveAt(m).Add(-earlierFailureWait))
}

// aliveAt returns the last moment at which a host was certainly alive.
func (k *roster) aliveAt(m *member) time.Time {
	if !m.brokenAt.IsZero() && (k.firstFailure == nil || !m.brokenAt.After(k.firstHeardAt)) {
		return m.brokenAt
	}
	return m.saidAt
}

// decideFirst makes the first failure the one that all hosts are told of.
func (k *roster) decideFirst() {
	switch {
	case k.decided:
	case k.mayRestart():
		k.restart()
	default:
		k.decided = true
		k.announceChange()
	}
}

// noteBreak notes that the connection of a host's last hello was closed.
func (k *roster) noteBreak(h *hello, now time.Time) {
	k.mu.Lock()
	defer k.unlockAndWarn()
	m := k.members[h.Host]
	if m != nil && m.Instance == h.Instance && m.Count == h.Count && m.brokenAt.IsZero() {
		m.brokenAt = now.Add(-k.stoodStill(now)) // it may have broken at the beginning of that
		k.decideIfDue()
	}
}

// findLost looks for lost hosts. Before the release it only forgets them, since they may join again.
func (k *roster) findLost(now time.Time) {
	k.mu.Lock()
	defer k.unlockAndWarn()
	k.forgiveStandstill(now)
	for _, host := range k.config.Hosts[1:] {
		m := k.members[host]
		if m == nil || m.ended {
			continue
		}
		why := k.reasonForLoss(m, now)
		if why == "" {
			continue
		}
		k.queueWarning(host + ": " + why)
		if k.released == 0 {
			delete(k.members, host)
			continue
		}
		k.noteLoss(host, m, why, now)
	}
	k.decideIfDue()
}

// forgiveStandstill moves what was heard of all hosts by the time in which this process stood still, such as
// in a container that is paused. What they said meanwhile is not read yet.
func (k *roster) forgiveStandstill(now time.Time) {
	if late := k.stoodStill(now); late > 0 {
		for _, m := range k.members {
			m.lastHeard, m.answered = m.lastHeard.Add(late), m.answered.Add(late)
		}
	}
	k.lookedAt = now
}

// stoodStill returns for how long this process has stood still since it looked for lost hosts.
func (k *roster) stoodStill(now time.Time) time.Duration {
	late := now.Sub(k.lookedAt) - k.config.lossCheckPause()
	if k.lookedAt.IsZero() || late <= standstill {
		return 0
	}
	return late
}

// silentSince returns from when on the silence of a host counts: its last word. Where the leader has answered
// that, the next word is due wordDelay later, and silence counts from then on.
func (k *roster) silentSince(m *member) time.Time {
	if due := m.answered.Add(k.config.wordDelay()); due.After(m.lastHeard) {
		return due
	}
	return m.lastHeard
}

// noteAnswer notes that a hello is answered.
func (k *roster) noteAnswer(h *hello, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if m := k.members[h.Host]; m != nil && m.Instance == h.Instance && m.Count == h.Count {
		m.answered = now
	}
}

// reasonForLoss says why a host counts as lost. It is empty if the host does not.
func (k *roster) reasonForLoss(m *member, now time.Time) string {
	silent := now.Sub(m.lastHeard)
	switch {
	case now.Sub(k.silentSince(m)) < k.config.PeerTimeout:
		return ""
	case !m.brokenAt.IsZero():
		return fmt.Sprintf("lost: its connection was closed and it did not come back for %s "+
			"(its container was killed, or its host is gone)", silent.Round(time.Second))
	}
	return fmt.Sprintf("lost: nothing was heard of it for %s "+
		"(its network is cut, or its host is gone or hangs)", silent.Round(time.Second))
}

// noteLoss notes the loss of a host. The loss counts from lossMoment, and so before all failures that follow
// from it. But a failure that the host itself reported stands, and so does one from before the break.
func (k *roster) noteLoss(host string, m *member, why string, now time.Time) {
	m.ended, m.left = true, true
	at := k.lossMoment(m)
	if k.isOlderThanBreakOf(m) || k.firstFailure != nil && k.firstTeller == host {
		at = now
	}
	k.noteFailure(host, &End{Code: CodeLost, Text: why, At: at}, now)
	k.firstIsLoss = k.firstIsLoss ||
		k.firstFailure != nil && k.firstFailure.Host == host && k.firstFailure.Text == why
	k.quiet = k.quiet || k.stoppedHost != "" && k.areAllQuiet()
	k.announceChange()
}
