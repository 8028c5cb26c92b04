package rendezvous

import (
	"testing"
	"time"
)

// TestTimesKeepTheirRelations holds the relations that times.go states, for short and long PeerTimeouts.
func TestTimesKeepTheirRelations(t *testing.T) {
	longestRetryPause := shortestRetryPause << retryPauseDoublings * 5 / 4
	for _, timeout := range []time.Duration{time.Second, 3 * time.Second, 30 * time.Second, time.Hour} {
		c := &Config{PeerTimeout: timeout}
		for name, holds := range map[string]bool{
			"earlierFailureWait < earlierFailureWaitLaunched": earlierFailureWait < earlierFailureWaitLaunched,
			"earlierFailureWaitLaunched < causeWait":          earlierFailureWaitLaunched < causeWait,
			"earlierFailureWait < clockJump":                  earlierFailureWait < clockJump,
			"shutdownTime < answerWriteTime":                  shutdownTime < answerWriteTime,
			"farewellPause < farewellTime":                    farewellPause < farewellTime,
			"the longest retry pause <= farewellTime":         longestRetryPause <= farewellTime,
			"the longest retry pause < longestReconnectGrace": longestRetryPause < longestReconnectGrace,
			"answerHold < answerWait":                         c.answerHold() < c.answerWait(),
			"answerWait < silenceBound":                       c.answerWait() < c.silenceBound(),
			"reconnectGrace < silenceBound":                   c.reconnectGrace() < c.silenceBound(),
			"silenceBound + lossCheckPause < PeerTimeout":     c.silenceBound()+c.lossCheckPause() < timeout,
			"silenceBound < idleBound":                        c.silenceBound() < c.idleBound(),
			"PeerTimeout < longestSpan":                       timeout < longestSpan,
		} {
			if !holds {
				t.Errorf("with a PeerTimeout of %s, %s does not hold", timeout, name)
			}
		}
	}
}
