package launch

import (
	"testing"
	"time"

	"entrain/bootstrap/plan"
)

// TestTimesKeepTheirRelations holds the relations that times.go states, for short and long times of the user.
func TestTimesKeepTheirRelations(t *testing.T) {
	const openMPI4End = 4100 * time.Millisecond // how long Open MPI 4 takes at most to end
	// How long the rendezvous waits for an earlier failure: earlierFailureWaitLaunched.
	const earlierFailure = 600 * time.Millisecond
	peerTimeout := plan.Defaults().Rendezvous.PeerTimeout
	for relation, holds := range map[string]bool{
		"rankEndBound < messageBound":               rankEndBound < messageBound,
		"beginPoll < messageBound":                  beginPoll < messageBound,
		"daemonsTermAfter < daemonsKillAfter":       daemonsTermAfter < daemonsKillAfter,
		"openMPI4End < launcherEndBound":            openMPI4End < launcherEndBound,
		"launcherEndBound < longestLauncherShare":   launcherEndBound < longestLauncherShare,
		"the default --grace < rankGrace":           plan.Defaults().End.Grace < rankGrace,
		"messageBound < the default --peer-timeout": messageBound < peerTimeout,
		"failureGraceAlone is the default":          failureGraceAlone == failureGrace(peerTimeout),
		"portDialBound < earlierFailure":            portDialBound < earlierFailure,
		"portPoll < portSilence":                    portPoll < portSilence,
		"portSilence < the default portBound":       portSilence < portBound(peerTimeout),
		"portLookupBound < the default portBound":   portLookupBound < portBound(peerTimeout),
		"firstBeginReport < the default --launch-timeout": firstBeginReport <
			plan.Defaults().LaunchTimeout,
		"the default --peer-timeout < the default --launch-timeout": peerTimeout <
			plan.Defaults().LaunchTimeout,
	} {
		if !holds {
			t.Errorf("%s does not hold", relation)
		}
	}
	for _, users := range []time.Duration{time.Second, 30 * time.Second, 110 * time.Second, time.Hour} {
		if lateInGrace(users) >= users-launcherShare(users) {
			t.Errorf("of a grace of %s, %s is not before the launcher's SIGTERM", users, lateInGrace(users))
		}
		// All hosts end within a quarter of --peer-timeout after a loss counts.
		if end := lossKillAfter(failureGrace(users)); end >= users/4 {
			t.Errorf("with a --peer-timeout of %s, hosts end %s after a loss counts", users, end)
		}
		if end := portBound(users) + lossKillAfter(failureGrace(users)); end >= users {
			t.Errorf("with a --peer-timeout of %s, a launch with a filtered port ends after %s", users, end)
		}
	}
}
