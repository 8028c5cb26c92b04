package bootstrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
)

// settle is how long after a daemon's end the launcher may say more: it ends by itself when a rank fails, and then the
// daemons and the other ranks go too.
const settle = time.Second

// remote is a launch on another host that the launcher asks for. Its context ends when whoever asked is gone; the daemon is left
// to end by itself then.
func (l *launching) remote(asked context.Context, host string, words []string, files [3]*os.File) (int, error) {
	l.sessions.Add(1)
	defer l.sessions.Done()
	session := make(chan struct{})
	defer close(session)
	stop := context.AfterFunc(asked, func() { l.orphaned(host, session) })
	defer stop()
	start := l.here
	if l.agent != nil && host != l.host() {
		start = l.agent.exec
	}
	code, err := start(host, words, files)
	if err != nil {
		code = cmp.Or(code, lostCode) // an error never has code 0
	}
	if code != 0 || err != nil {
		l.went(host, code, err)
	}
	return code, err
}

// here is a launch on this host itself, which Hydra asks for when it does not know the host by its name.
func (l *launching) here(_ string, words []string, files [3]*os.File) (int, error) {
	ended := make(chan int, 1)
	if _, err := l.start(words, files, func(code int) { ended <- code }); err != nil {
		return 126, err
	}
	return l.await(ended)
}

// await waits for the exit code of a guest: in vain where one cannot be killed.
func (l *launching) await(ended <-chan int) (int, error) {
	select {
	case code := <-ended:
		return code, nil
	case <-l.gone:
		return 255, errors.New("entrain on this host has ended")
	}
}

// orphaned: whoever asked for a session is gone before that has ended. A launcher that ends may do that to its agents; but if
// the job fails and nothing else is known to have, it is what the failure comes from, since Open MPI takes a killed agent for a
// lost host.
func (l *launching) orphaned(host string, session <-chan struct{}) {
	const text = "the process that had started the launcher's daemon there was killed"
	at := time.Now()
	if l.launch.Script || !l.hasBegun() { // a launcher that gives up before any rank has begun has a better reason
		return
	}
	tell := func() { l.fault(host, rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: at, Follows: true}) }
	l.mu.Lock()
	if l.orphan == nil {
		l.orphan = tell
	}
	l.mu.Unlock()
	timer := time.NewTimer(l.patience())
	defer timer.Stop()
	select {
	case <-session:
	case <-l.ended:
	case <-timer.C:
		l.lose(host, rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: at})
		tell()
	}
}

// went: a session has ended badly. A launcher that ends at the same time knows more, unless the daemon was lost or killed:
// what the launcher and the ranks then do is what comes of it.
func (l *launching) went(host string, code int, err error) {
	f := sessionEnd(code, err)
	l.lose(host, f)
	if err != nil {
		l.explain(f.Text)
	}
	_, lost := errors.AsType[*remote.LostError](err)
	switch {
	case lost || err == nil && code > 128 && !l.launch.Script:
		l.fault(host, f)
		return
	case l.launch.Script:
		return // it is for the script to see
	}
	l.work.Go(func() {
		if !l.isOver(settle) {
			l.fault(host, f)
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
	if isLost || err != nil && code == lostCode || code == 0 {
		f.Code = rendezvous.CodeLost
	}
	return f
}

// lose keeps the first session that ended badly, for a launcher that ends with 0 all the same.
func (l *launching) lose(host string, f rendezvous.End) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost == nil {
		l.lost, l.lostAt = &rendezvous.PeerError{Host: l.nameOf(host), Code: f.Code, Text: f.Text}, f.At
	}
}

// hasLost says whether a session ended badly.
func (l *launching) hasLost() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost != nil
}

// nameOf is the host of the job that a session's failure is told of: this one where the launcher has asked for another that
// is none of the job's.
func (l *launching) nameOf(host string) string {
	if slices.Contains(l.launch.names(), host) {
		return host
	}
	return l.host()
}

// explain keeps why the session that lose keeps ended, where this host knows that.
func (l *launching) explain(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost.Text == text {
		l.why = text
	}
}

// isOver waits for the launcher's end, for a while.
func (l *launching) isOver(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-l.ended:
		return true
	case <-timer.C:
		return false
	}
}

// within waits until all work is done, but no longer than a while.
func (l *launching) within(patience time.Duration, all ...*sync.WaitGroup) {
	done := make(chan struct{})
	go func() { // in vain, until the process ends, where something cannot be killed
		defer close(done)
		for _, work := range all {
			work.Wait()
		}
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
