package launch

import "time"

// state is the state of a launch on one host. The package comment draws the states.
type state int

const (
	waiting  state = iota // the hosts are not released yet
	released              // the launcher may start ranks; none has begun on this host
	running               // a rank has begun on this host
	stopping              // a stop was asked for: the ranks save their work and end
	failing               // the job has failed: the ranks end
	over                  // the launcher has ended
)

func (s state) String() string {
	return [...]string{"waiting", "released", "running", "stopping", "failing", "over"}[s]
}

// event is something that happens to the launch on this host. The package comment says where events come
// from.
type event int

const (
	hostsReleased  event = iota // all hosts are ready
	rankBegan                   // a rank has begun on this host
	rankEnded                   // the trainer of a rank of this host has ended
	stopAsked                   // this host or another host got SIGTERM
	jobFailed                   // a host or a rank has failed, so all hosts end
	hostLost                    // the same, where a host was lost or the launch does not succeed
	noRankLeft                  // after a stop, no rank is at work on any host
	leaderOver                  // on a worker: the leader's launcher has ended
	launcherOver                // the launcher of this host has ended; on a worker: this host's part has
	ranksLate                   // --launch-timeout is over, and ranks have not begun
	daemonHelpless              // the launcher's daemon on this host did not start, or cannot reach the launcher
)

func (e event) String() string {
	return [...]string{
		"hosts released", "rank began", "rank ended", "stop asked", "job failed", "host lost", "no rank left",
		"leader over", "launcher over", "ranks late", "daemon helpless",
	}[e]
}

// actionKind is the kind of an action.
type actionKind int

const (
	tellBegun   actionKind = iota // tell the other hosts that a rank has begun
	tellStop                      // tell the other hosts of the stop
	tellQuiet                     // tell the other hosts that no rank is at work here
	stopRank                      // send SIGTERM to the trainer of the rank that has begun
	stopRanks                     // send SIGTERM to the trainers of all ranks of this host
	letRankGo                     // allow the rank that has begun to leave when its trainer has ended
	letRanksGo                    // allow all ranks of this host to leave when their trainers have ended
	closeAgent                    // end the daemons that the launcher has started on other hosts
	setDeadline                   // send SIGTERM and SIGKILL to the processes that are left after two times
	failLaunch                    // tell the other hosts that the launch does not succeed, and why
)

func (k actionKind) String() string {
	return [...]string{
		"tell begun", "tell stop", "tell quiet", "stop rank", "stop ranks", "let rank go", "let ranks go",
		"close agent", "set deadline", "fail launch",
	}[k]
}

// action is one thing to do after an event.
type action struct {
	kind       actionKind
	term, kill time.Duration // of setDeadline: from now to SIGTERM, if that comes before SIGKILL, and to SIGKILL
}

// machine holds the state of a launch on one host. It is pure: it takes an event, and returns the actions to
// take, in their order.
type machine struct {
	state  state
	before state // the state before over; 0 in any other state
	begun  bool  // a rank has begun on this host
	// failedFirst says that the job failed before anybody stopped it.
	failedFirst bool
	// activeRanks counts the ranks of this host whose trainers have not ended.
	activeRanks int

	own          bool          // there is no launcher: entrain has started the ranks of this host
	leads        bool          // the launcher runs on this host
	script       bool          // the launcher is a script of the user, which decides by itself what its ranks do
	grace        time.Duration // from a stop to SIGKILL
	failureGrace time.Duration // the unit of the bounds after a failure; see the function of the same name
}

// ending says whether the launch was stopped, or has failed.
func (m *machine) ending() bool { return m.phase() == stopping || m.phase() == failing }

// phase is the state; in the state over it is the state before.
func (m *machine) phase() state {
	if m.state == over {
		return m.before
	}
	return m.state
}

// moveTo changes the phase. A launch that is over stays over.
func (m *machine) moveTo(to state) {
	if m.state == over {
		m.before = to
		return
	}
	m.state = to
}

// on takes an event and returns the actions to take. elsewhere says whether a rank has begun on another host.
func (m *machine) on(e event, elsewhere bool) []action {
	switch e {
	case hostsReleased:
		if m.state == waiting {
			m.state = released
		}
	case rankBegan:
		return m.rankBegan()
	case rankEnded:
		m.activeRanks--
		if m.activeRanks == 0 && m.ending() {
			return []action{{kind: tellQuiet}}
		}
	case stopAsked:
		return m.stopAsked(elsewhere)
	case jobFailed:
		return m.jobFailed(failureKillAfter(m.failureGrace))
	case hostLost:
		return m.jobFailed(lossKillAfter(m.failureGrace))
	case noRankLeft:
		return m.noRankLeft()
	case leaderOver: // the daemons usually end by themselves now
		return []action{{kind: setDeadline, term: daemonsTermAfter, kill: daemonsKillAfter}}
	case launcherOver:
		if m.state != over {
			m.before, m.state = m.state, over
		}
	case ranksLate, daemonHelpless:
		return m.launchFails(e)
	}
	return nil
}

// launchFails fails a launch that does not succeed. Nobody needs a launch that was stopped or has failed. A
// rank that has begun on this host proves that its daemon has reached the launcher.
func (m *machine) launchFails(e event) []action {
	if m.state == released || m.state == running && e == ranksLate {
		return []action{{kind: failLaunch}}
	}
	return nil
}

func (m *machine) rankBegan() []action {
	m.activeRanks++
	m.begun = true
	if m.phase() == released {
		m.moveTo(running)
	}
	actions := []action{{kind: tellBegun}}
	switch {
	case m.phase() == failing:
		actions = append(actions, action{kind: stopRank}, action{kind: letRankGo})
	case m.phase() == stopping && !m.script: // but a script may start ranks in order to save
		actions = append(actions, action{kind: stopRank})
	}
	return actions
}

// stopAsked stops the launch. A second SIGTERM changes nothing: somebody who stops all hosts sends one to
// each host, and the hosts tell each other of the first one.
func (m *machine) stopAsked(elsewhere bool) []action {
	if m.ending() {
		return nil
	}
	m.moveTo(stopping)
	actions := append([]action{{kind: stopRanks}}, m.stopDeadline(elsewhere)...)
	actions = append(actions, action{kind: tellStop})
	if m.activeRanks == 0 {
		actions = append(actions, action{kind: tellQuiet})
	}
	return actions
}

// stopDeadline says when the grace of a stop ends. The launcher gets SIGTERM shortly before that, since it
// knows best how to end its ranks.
func (m *machine) stopDeadline(elsewhere bool) []action {
	switch {
	case !m.leads:
		return []action{{kind: setDeadline, term: m.grace, kill: m.grace}}
	case m.script && m.activeRanks == 0: // the script itself stops what it has started
		return []action{{kind: setDeadline, kill: m.grace}}
	case !m.script && !m.begun && !elsewhere: // a launcher waits for its daemons, Open MPI 5 for ever
		return []action{{kind: closeAgent}, {kind: setDeadline, kill: m.failureGrace}}
	}
	return []action{{kind: setDeadline, term: m.grace - launcherShare(m.grace), kill: m.grace}}
}

// jobFailed ends the ranks at once, and whatever is left after kill. The ranks cannot save anything: a
// collective operation needs all ranks. The launcher ends by itself.
func (m *machine) jobFailed(kill time.Duration) []action {
	if m.phase() == failing {
		return nil
	}
	m.failedFirst = m.phase() != stopping
	m.moveTo(failing)
	if m.own {
		return []action{{kind: stopRanks}, {kind: setDeadline, term: ownKillAfter, kill: ownKillAfter}}
	}
	return []action{
		{kind: stopRanks},
		{kind: letRanksGo},
		{kind: setDeadline, term: kill, kill: kill},
	}
}

// noRankLeft allows the ranks to leave, since the launcher can cut no rank short any more.
func (m *machine) noRankLeft() []action {
	actions := []action{{kind: letRanksGo}}
	if m.leads && !m.script { // a script may have more work to do
		actions = append(actions, action{kind: setDeadline, term: launcherEndBound, kill: 2 * launcherEndBound})
	}
	return actions
}
