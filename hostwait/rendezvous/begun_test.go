package rendezvous

import (
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestLeaderKnowsOnWhichHostsNoRankHasBegun: each host says it of itself, and the workers do not know it.
func TestLeaderKnowsOnWhichHostsNoRankHasBegun(t *testing.T) {
	defer goleak.VerifyNone(t)
	all := newLaunch(t, make(chan string, 16))
	wanted := []string{"h0", "h1", "h2"}
	for _, i := range []int{2, 0, 1} {
		if got := all[0].NotBegun(); !slices.Equal(got, wanted) {
			t.Errorf("NotBegun is %q, expected %q", got, wanted)
		}
		all[i].Begin()
		wanted = slices.DeleteFunc(wanted, func(host string) bool { return host == all[i].config.Self.Host })
		until := time.Now().Add(testTimeout)
		tick := time.NewTicker(time.Millisecond)
		for len(all[0].NotBegun()) > len(wanted) && time.Now().Before(until) {
			<-tick.C
		}
		tick.Stop()
		if got := all[1].NotBegun(); got != nil {
			t.Errorf("a worker knows of %q", got)
		}
	}
	if got := all[0].NotBegun(); len(got) > 0 {
		t.Errorf("NotBegun is %q after all ranks have begun", got)
	}
	leave(t, all, End{}, End{}, End{})
}
