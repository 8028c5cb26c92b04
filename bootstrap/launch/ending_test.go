package launch

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"entrain/bootstrap/events"

	"github.com/rs/zerolog"
)

// TestRankThatDoesNotEndIsNamed in the log, and only there, and not where the launcher ends in time.
func TestRankThatDoesNotEndIsNamed(t *testing.T) {
	for _, c := range []struct {
		what string
		act  func(h *Host, one, two *standInRank)
		want string
	}{
		{
			"one rank hangs", func(_ *Host, one, _ *standInRank) { one.exit(0) },
			"rank 3 of this host ended 1m0s ago, and rank 4 not: it may wait in MPI_Finalize for ever",
		},
		{
			"ranks of other hosts hang", func(_ *Host, one, two *standInRank) { one.exit(0); two.exit(0) },
			"rank 3, 4 of this host ended 1m0s ago, and the launcher goes on",
		},
		{"the launcher ends", func(h *Host, one, _ *standInRank) { one.exit(0); h.setOver() }, ""},
		{"all are at work", func(*Host, *standInRank, *standInRank) {}, ""},
	} {
		var text bytes.Buffer
		synctest.Test(t, func(t *testing.T) {
			h := newStandInJob(t, "algo-1", "algo-2").hosts[1].host
			h.log = events.Log{Logger: zerolog.New(zerolog.SyncWriter(&text))}
			one := &standInRank{number: 3, done: make(chan struct{})}
			two := &standInRank{number: 4, done: make(chan struct{})}
			h.rankBegan(one)
			h.rankBegan(two)
			c.act(h, one, two)
			time.Sleep(2 * endReport)
			h.setOver()
			one.exit(0)
			two.exit(0)
			synctest.Wait()
		})
		if got := text.String(); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: the log says %q, expected %q", c.what, got, c.want)
		}
	}
}
