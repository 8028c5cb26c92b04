package launch

import (
	"os"
	"testing"
	"testing/synctest"

	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
)

// lostAgent loses each host at once.
type lostAgent struct{}

func (lostAgent) connect([]rendezvous.Member) error { return nil }
func (lostAgent) close()                            {}

func (lostAgent) exec(host string, _ []string, _ [3]*os.File) (int, error) {
	return remote.CodeSSHError, &remote.LostError{Host: host, Why: "it closed the connection"}
}

// TestHostThatEndsAfterFailureIsNotLost: its connection ends because all hosts end.
func TestHostThatEndsAfterFailureIsNotLost(t *testing.T) {
	for state, want := range map[state]string{
		running: "algo-2 is lost: it closed the connection",
		failing: "the launch on algo-2 was given up",
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newStandInJob(t, "algo-1", "algo-2").hosts[0].host
			h.agent, h.machine.state = lostAgent{}, state
			_, err := h.runDaemon(t.Context(), "algo-2", nil, [3]*os.File{})
			if err == nil || err.Error() != want {
				t.Errorf("%s: %v, want %s", state, err, want)
			}
			h.setOver()
			synctest.Wait()
		})
	}
}
