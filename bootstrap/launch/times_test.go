package launch

import (
	"testing"
	"time"

	"entrain/bootstrap/plan"
)

// TestTimesKeepTheirRelations holds the relations that times.go states, for short and long times of the user.
func TestTimesKeepTheirRelations(t *testing.T) {
	const openMPI4End = 3 * time.Second // how long Open MPI 4 takes at most to end
	for relation, holds := range map[string]bool{
		"rankEndBound < messageBound":             rankEndBound < messageBound,
		"beginPoll < messageBound":                beginPoll < messageBound,
		"daemonsTermAfter < daemonsKillAfter":     daemonsTermAfter < daemonsKillAfter,
		"openMPI4End < launcherEndBound":          openMPI4End < launcherEndBound,
		"launcherEndBound < longestLauncherShare": launcherEndBound < longestLauncherShare,
		"the default --grace < rankGrace":         plan.Defaults().End.Grace < rankGrace,
		"messageBound < the default --peer-timeout": messageBound <
			plan.Defaults().Rendezvous.PeerTimeout,
		"failureGraceAlone is the default": failureGraceAlone ==
			failureGrace(plan.Defaults().Rendezvous.PeerTimeout),
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
		if end := failureKillAfter(failureGrace(users)); end >= users/4 {
			t.Errorf("with a --peer-timeout of %s, hosts end %s after a loss counts", users, end)
		}
	}
}
