package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// RestartError ends the work of a host because the work of all hosts starts again.
type RestartError struct {
	Restart int // the number of this restart, from 1 on
	Cause   PeerError
}

func (e *RestartError) Error() string {
	return fmt.Sprintf("restart %d, since %s", e.Restart, e.Cause.Error())
}

// usageTime is how long after the start of the work an exit code 2 counts as that of a program that does not
// understand its arguments, as of argparse: it would do the same again.
const usageTime = 10 * time.Second

// codeUsage is that exit code.
const codeUsage = 2

// IsUsage reports whether a program that ended with a code some time after its start did not understand its
// arguments.
func IsUsage(code int, after time.Duration) bool { return code == codeUsage && after < usageTime }

// mayRestart reports whether the work of all hosts may start again because of the first failure.
func (k *roster) mayRestart() bool {
	e := k.firstEnd
	switch {
	case k.restarts >= k.config.MaxRestarts || k.released == 0 || k.stoppedHost != "":
		return false
	case k.firstIsLoss || e.Final || e.Code == CodeLost || IsUsage(e.Code, e.At.Sub(k.startedAt)):
		return false
	}
	for _, m := range k.members {
		if m.left {
			return false
		}
	}
	return true
}

// restart forgets the failure and tells all hosts to start their work again.
func (k *roster) restart() {
	k.restarts++
	k.restartCause = k.firstFailure
	k.firstFailure, k.firstEnd, k.launcherCode, k.launcherEnd = nil, nil, nil, nil
	k.waitIsOver, k.begun, k.quiet = false, false, false
	for _, m := range k.members {
		m.ended, m.lastFault = false, ""
	}
	k.announceChange()
}

// startIfAllAgain starts the work again once all hosts are ready for that.
func (k *roster) startIfAllAgain(now time.Time) {
	if k.started == k.restarts {
		return
	}
	for _, m := range k.members {
		if m.Restarts != k.restarts {
			return
		}
	}
	k.started, k.startedAt = k.restarts, now
	k.announceChange()
}

// noteRestart ends Context with a *RestartError if the leader says that the work starts again, and notes that
// all hosts are ready for it.
func (s *Session) noteRestart(v *view) (isOld bool) {
	if v.Restarts > s.self.Restarts {
		e := &RestartError{Restart: v.Restarts}
		if f := v.Cause; f != nil {
			e.Cause = PeerError{Host: f.Host, Code: failureCode(f.Code), Text: f.Text}
		}
		s.cancel(e)
		return true
	}
	if v.Started == s.self.Restarts {
		s.setStarted()
	}
	return false
}

// Outcome waits until the end of this host's work is settled, after End. It returns a *RestartError if the
// work starts again, and nil if it does not.
func (s *Session) Outcome(ctx context.Context) *RestartError {
	s.mu.Lock()
	settled, work := s.settled, s.ctx
	s.mu.Unlock()
	select {
	case <-settled:
	case <-work.Done():
	case <-s.hellosEnded:
	case <-ctx.Done():
	}
	e, _ := errors.AsType[*RestartError](context.Cause(work)) //nolint:contextcheck // it is that of the work
	return e
}

// Again says that this host is ready to start its work again, and waits until all hosts are. The error is the
// cause of Context or of ctx if the job ends instead.
func (s *Session) Again(ctx context.Context) error {
	s.tellLeader(func() {
		s.self.Restarts = s.lastView.Restarts
		s.self.Begun, s.self.Quiet, s.self.Ended, s.self.Fault = false, false, nil, nil
		s.end, s.fault = nil, nil
		s.newWork()
		switch v := s.lastView; {
		case v.First != nil:
			s.cancel(&PeerError{Host: v.First.Host, Code: failureCode(v.First.Code), Text: v.First.Text})
		case v.Stopped != "":
			s.cancel(&StopError{Host: v.Stopped})
		}
	})
	s.mu.Lock()
	started, work := s.started, s.ctx
	s.mu.Unlock()
	select {
	case <-started:
		return nil
	case <-work.Done():
		return context.Cause(work) //nolint:contextcheck // it is that of the work
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
