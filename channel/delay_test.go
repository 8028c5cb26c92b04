package channel

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestSeedDecidesDelays checks that about half of the FIFOs are late, none by more than Late, and that
// the same seed gives the same delays.
func TestSeedDecidesDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		delays := func(seed uint64) (found []time.Duration) {
			p, chance := Platform{Late: time.Minute, Seed: seed}, rand.New(rand.NewPCG(seed, 0))
			for range 100 {
				start := time.Now()
				if err := p.delay(t.Context(), chance); err != nil {
					t.Fatal(err)
				}
				found = append(found, time.Since(start))
			}
			return found
		}
		first := delays(1)
		late := slices.DeleteFunc(slices.Clone(first), func(d time.Duration) bool { return d == 0 })
		if len(late) < 30 || len(late) > 70 || slices.Max(late) > time.Minute || slices.Max(late) < 30*time.Second {
			t.Errorf("%d of 100 are late: %v", len(late), late)
		}
		if !slices.Equal(first, delays(1)) || slices.Equal(first, delays(2)) {
			t.Error("a seed does not make the same delays each time, or all seeds do")
		}
		cause := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		p := Platform{Late: time.Hour}
		chance := rand.New(rand.NewPCG(0, 0))
		var err error
		for err == nil { // a FIFO that is not late does not look at ctx
			err = p.delay(ctx, chance)
		}
		if !errors.Is(err, cause) {
			t.Error(err)
		}
	})
}
