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
			"lingerTime < requestReadTime":                    lingerTime < requestReadTime,
			"acceptPause x 10 < longestConnectTime":           10*acceptPause < longestConnectTime,
			"shutdownTime < answerWriteTime":                  shutdownTime < answerWriteTime,
			"farewellPause < farewellTime":                    farewellPause < farewellTime,
			"the longest retry pause <= farewellTime":         longestRetryPause <= farewellTime,
			"the longest retry pause < longestConnectTime":    longestRetryPause < longestConnectTime,
			"lastWordHold < answerWriteTime":                  lastWordHold < answerWriteTime,
			"connectTime < PeerTimeout":                       c.connectTime() < timeout,
			"reconnectTime <= connectTime":                    c.reconnectTime() <= c.connectTime(),
			"a pause and reconnectTime <= wordDelay": timeout < 30*time.Second ||
				longestRetryPause+c.reconnectTime() <= c.wordDelay(),
			"answerHold + wordDelay < PeerTimeout":   c.answerHold()+c.wordDelay() < timeout,
			"3 tries < PeerTimeout":                  3*c.answerDelay() <= timeout,
			"answerHold + answerDelay < PeerTimeout": c.answerHold()+c.answerDelay() < timeout,
			"goodbyeTime < PeerTimeout":              c.goodbyeTime() < timeout,
			"2 * PeerTimeout < settleBound":          2*timeout < c.settleBound(),
			"lossCheckPause < PeerTimeout/10":        c.lossCheckPause() < timeout/10,
			"PeerTimeout < idleBound":                timeout < c.idleBound(),
			"PeerTimeout < longestSpan":              timeout < longestSpan,
		} {
			if !holds {
				t.Errorf("with a PeerTimeout of %s, %s does not hold", timeout, name)
			}
		}
	}
}
