package launch

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The times of a machine under test.
const (
	testGrace = 60 * time.Second
	testBound = 2 * time.Second
)

// machineIn makes a machine that has reached a state by the usual events. A machine in the state over was in
// running before.
func machineIn(s state, leads, script bool) *machine {
	m := &machine{leads: leads, script: script, grace: testGrace, failureGrace: testBound}
	events := map[state][]event{
		waiting:  nil,
		released: {hostsReleased},
		running:  {hostsReleased, rankBegan},
		stopping: {hostsReleased, rankBegan, stopAsked},
		failing:  {hostsReleased, rankBegan, jobFailed},
		over:     {hostsReleased, rankBegan, launcherOver},
	}
	for _, e := range events[s] {
		m.on(e, false)
	}
	return m
}

// inOneLine writes actions as one line.
func inOneLine(actions []action) string {
	var words []string
	for _, a := range actions {
		word := a.kind.String()
		if a.kind == setDeadline {
			word += fmt.Sprintf(" %s/%s", a.term, a.kill)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// TestEveryEventInEveryState walks the whole table of a leader: the next state, and the actions.
func TestEveryEventInEveryState(t *testing.T) {
	const (
		fail    = "stop ranks, let ranks go, set deadline 6s/6s"
		lost    = "stop ranks, let ranks go, set deadline 4.8s/4.8s"
		stop    = "stop ranks, set deadline 50s/1m0s, tell stop"
		early   = "stop ranks, close agent, set deadline 0s/2s, tell stop, tell quiet"
		quiet   = "let ranks go, set deadline 6s/12s"
		daemons = "set deadline 125ms/333.333333ms"

		hopeless = "fail launch"
	)
	type next struct {
		state state
		does  string
	}
	table := map[state]map[event]next{
		waiting: {
			hostsReleased: {released, ""}, rankBegan: {waiting, "tell begun"}, rankEnded: {waiting, ""},
			stopAsked: {stopping, early}, jobFailed: {failing, fail},
			hostLost: {failing, lost}, noRankLeft: {waiting, quiet},
			leaderOver: {waiting, daemons}, launcherOver: {over, ""},
			ranksLate: {waiting, ""}, daemonHelpless: {waiting, ""},
		},
		released: {
			hostsReleased: {released, ""}, rankBegan: {running, "tell begun"}, rankEnded: {released, ""},
			stopAsked: {stopping, early}, jobFailed: {failing, fail},
			hostLost: {failing, lost}, noRankLeft: {released, quiet},
			leaderOver: {released, daemons}, launcherOver: {over, ""},
			ranksLate: {released, hopeless}, daemonHelpless: {released, hopeless},
		},
		running: {
			hostsReleased: {running, ""}, rankBegan: {running, "tell begun"}, rankEnded: {running, ""},
			stopAsked: {stopping, stop}, jobFailed: {failing, fail},
			hostLost: {failing, lost}, noRankLeft: {running, quiet},
			leaderOver: {running, daemons}, launcherOver: {over, ""},
			ranksLate: {running, hopeless}, daemonHelpless: {running, ""},
		},
		stopping: {
			hostsReleased: {stopping, ""}, rankBegan: {stopping, "tell begun, stop rank"},
			rankEnded: {stopping, "tell quiet"}, stopAsked: {stopping, ""},
			jobFailed: {failing, fail}, hostLost: {failing, lost},
			noRankLeft: {stopping, quiet}, leaderOver: {stopping, daemons}, launcherOver: {over, ""},
			ranksLate: {stopping, ""}, daemonHelpless: {stopping, ""},
		},
		failing: {
			hostsReleased: {failing, ""}, rankBegan: {failing, "tell begun, stop rank, let rank go"},
			rankEnded: {failing, "tell quiet"}, stopAsked: {failing, ""},
			jobFailed: {failing, ""}, hostLost: {failing, ""},
			noRankLeft: {failing, quiet}, leaderOver: {failing, daemons}, launcherOver: {over, ""},
			ranksLate: {failing, ""}, daemonHelpless: {failing, ""},
		},
		over: {
			hostsReleased: {over, ""}, rankBegan: {over, "tell begun"}, rankEnded: {over, ""},
			stopAsked: {over, stop}, jobFailed: {over, fail},
			hostLost: {over, lost}, noRankLeft: {over, quiet},
			leaderOver: {over, daemons}, launcherOver: {over, ""},
			ranksLate: {over, ""}, daemonHelpless: {over, ""},
		},
	}
	for from := waiting; from <= over; from++ {
		for e := hostsReleased; e <= daemonHelpless; e++ {
			want, known := table[from][e]
			if !known {
				t.Errorf("%s, %s: the table says nothing", from, e)
				continue
			}
			m := machineIn(from, true, false)
			if does := inOneLine(m.on(e, false)); m.state != want.state || does != want.does {
				t.Errorf("%s, %s: %s (%s), expected %s (%s)", from, e, m.state, does, want.state, want.does)
			}
		}
	}
}

// TestWorkersAndScriptsActDifferently: so does a leader when a rank has begun on another host.
func TestWorkersAndScriptsActDifferently(t *testing.T) {
	for _, c := range []struct {
		what          string
		leads, script bool
		from          state
		event         event
		elsewhere     bool
		does          string
	}{
		{
			"a worker leaves the launcher's share of the grace to the leader", false, false, running, stopAsked, false,
			"stop ranks, set deadline 1m0s/1m0s, tell stop",
		},
		{
			"a worker has no launcher to end", false, false, stopping, noRankLeft, false, "let ranks go",
		},
		{
			"a launcher whose ranks are on other hosts gets its share too", true, false, released, stopAsked, true,
			"stop ranks, set deadline 50s/1m0s, tell stop, tell quiet",
		},
		{
			"a script without ranks gets SIGTERM at once, and the whole grace", true, true, released, stopAsked, false,
			"stop ranks, set deadline 0s/1m0s, tell stop, tell quiet",
		},
		{
			"a script may start ranks that save", true, true, stopping, rankBegan, false, "tell begun",
		},
		{
			"a script may have more to do than its ranks", true, true, stopping, noRankLeft, false, "let ranks go",
		},
		{
			"a script that fails takes its ranks along", true, true, failing, rankBegan, false,
			"tell begun, stop rank, let rank go",
		},
	} {
		if does := inOneLine(machineIn(c.from, c.leads, c.script).on(c.event, c.elsewhere)); does != c.does {
			t.Errorf("%s: %s, expected %s", c.what, does, c.does)
		}
	}
}

// TestLaunchThatIsOverRemembersStop: a launch that was stopped or has failed stays so when its launcher has
// ended. A stop that comes after the end counts too.
func TestLaunchThatIsOverRemembersStop(t *testing.T) {
	for before, ending := range map[state]bool{released: false, running: false, stopping: true, failing: true} {
		m := machineIn(before, true, false)
		m.on(launcherOver, false)
		if m.ending() != ending || m.state != over {
			t.Errorf("%s, then over: ending is %v, expected %v", before, m.ending(), ending)
		}
	}
	m := machineIn(over, true, false)
	m.on(stopAsked, false)
	if !m.ending() || m.state != over {
		t.Error("a stop after the launcher's end is forgotten")
	}
}

// TestLauncherGetsSixthOfShortGrace: it gets SIGTERM a sixth of the grace before the end.
func TestLauncherGetsSixthOfShortGrace(t *testing.T) {
	m := machineIn(running, true, false)
	m.grace = 6 * time.Second
	if does := inOneLine(m.on(stopAsked, false)); does != "stop ranks, set deadline 5s/6s, tell stop" {
		t.Error(does)
	}
}
