package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
)

// session starts a daemon on a host, as the launcher asks, and waits for its exit code. Asked ends when whoever asked is
// gone. The daemon then ends by itself.
func (h *Host) session(asked context.Context, host string, words []string, files [3]*os.File) (int, error) {
	defer h.sessions.Begin()()
	ended := make(chan struct{})
	defer close(ended)
	stop := context.AfterFunc(asked, func() { h.orphaned(host, ended) })
	defer stop()
	start := h.startHere
	if h.agent != nil && host != h.name() {
		start = h.agent.exec
	}
	code, err := start(host, words, files)
	if err != nil {
		code = cmp.Or(code, remote.CodeSSHError) // an error never has code 0
	}
	if code != 0 || err != nil {
		h.sessionFailed(host, code, err)
	}
	return code, err
}

// startHere starts a daemon on this host itself. Hydra asks for that when it does not know the host by its name.
func (h *Host) startHere(_ string, words []string, files [3]*os.File) (int, error) {
	ended := make(chan int, 1)
	if _, err := h.startDaemon(words, files, func(code int) { ended <- code }); err != nil {
		return remote.CodeNotStarted, err
	}
	return h.awaitDaemon(ended)
}

// awaitDaemon waits for the exit code of a daemon of this host. One that cannot be killed is waited for until Close.
func (h *Host) awaitDaemon(ended <-chan int) (int, error) {
	select {
	case code := <-ended:
		return code, nil
	case <-h.closed:
		return remote.CodeSSHError, errors.New("entrain on this host has ended")
	}
}

// orphaned is called when whoever asked for a session is gone before the session has ended. A launcher that ends may do that
// to its agents. But where the job fails and no other cause is known, it is the cause: Open MPI takes a killed agent for a
// lost host.
func (h *Host) orphaned(host string, ended <-chan struct{}) {
	const text = "the process that had started the launcher's daemon there was killed"
	at := time.Now()
	if h.launch.Script || !h.hasBegun() { // a launcher that gives up before any rank has begun has a better reason
		return
	}
	tell := func() {
		h.fault(host, rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: at, Follows: true})
	}
	h.mu.Lock()
	if h.reasons.tellOrphan == nil {
		h.reasons.tellOrphan = tell
	}
	h.mu.Unlock()
	timer := time.NewTimer(h.explainBound())
	defer timer.Stop()
	select {
	case <-ended:
	case <-h.launcherOver:
	case <-timer.C:
		h.keepLoss(host, rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: at}, false)
		tell()
	}
}

// sessionFailed is called when a session has ended badly. A launcher that ends at the same time knows more, unless the daemon
// was lost or killed: then the launcher and the ranks end because of that.
func (h *Host) sessionFailed(host string, code int, err error) {
	e := sessionEnd(code, err)
	h.keepLoss(host, e, err != nil)
	_, lost := errors.AsType[*remote.LostError](err)
	switch {
	case lost || err == nil && code > 128 && !h.launch.Script:
		h.fault(host, e)
		return
	case h.launch.Script:
		return // it is for the script to see
	}
	h.work.Go(func() {
		if !h.isOver(lastWord) {
			h.fault(host, e)
		}
	})
}

// sessionEnd is how a session ended badly, which is never code 0. A host on which nothing could be started at all is
// unavailable, as one is that was lost.
func sessionEnd(code int, err error) rendezvous.End {
	f := rendezvous.End{Code: code, Text: fmt.Sprintf("the launcher's daemon ended with exit code %d", code), At: time.Now()}
	if err != nil {
		f.Text = err.Error()
	}
	lost, isLost := errors.AsType[*remote.LostError](err)
	if isLost {
		f.Text = "lost: " + lost.Why
	}
	if isLost || err != nil && code == remote.CodeSSHError || code == 0 {
		f.Code = rendezvous.CodeLost
	}
	return f
}

// keepLoss keeps the first session that ended badly, for a launcher that ends with 0 all the same. NotStarted says that
// the daemon was never started: its text then says more than the launcher can.
func (h *Host) keepLoss(host string, e rendezvous.End, notStarted bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reasons.lost == nil {
		h.reasons.lost = &rendezvous.PeerError{Host: h.nameOf(host), Code: e.Code, Text: e.Text}
		h.reasons.lostAt = e.At
	}
	if notStarted && h.reasons.lost.Text == e.Text {
		h.reasons.startFailed = e.Text
	}
}

// nameOf is the host that a session's failure is told of. It is this one where the launcher has asked for a host that is none
// of the job's.
func (h *Host) nameOf(host string) string {
	if slices.Contains(namesOf(h.launch), host) {
		return host
	}
	return h.name()
}
