package launch

import "time"

// state is where the launch stands on this host. The package comment draws the states.
type state int

const (
	waiting  state = iota // the hosts are not released yet
	released              // the launcher may start ranks; none has begun on this host
	running               // a rank has begun on this host
	stopping              // a stop was asked for: the ranks save what they save
	failing               // the job fails: the ranks end
	over                  // the launcher has ended
)

func (s state) String() string {
	return [...]string{"waiting", "released", "running", "stopping", "failing", "over"}[s]
}

// event is something that happens to the launch on this host.
type event int

const (
	hostsReleased event = iota // all hosts are ready
	rankBegan                  // a rank has begun on this host
	rankEnded                  // the trainer of a rank of this host has ended
	stopAsked                  // this host or another one got SIGTERM
	jobFailed                  // this host ends because a host or a rank has failed
	noRankLeft                 // after a stop, no rank is at work on any host
	leaderOver                 // a worker hears that the leader's launcher has ended
	launcherOver               // the launcher of this host, or a worker's part, has ended
)

func (e event) String() string {
	return [...]string{
		"hosts released", "rank began", "rank ended", "stop asked", "job failed", "no rank left", "leader over", "launcher over",
	}[e]
}

// actionKind is what has to be done after an event.
type actionKind int

const (
	tellBegun   actionKind = iota // tell the other hosts that a rank has begun
	tellStop                      // tell the other hosts of the stop
	tellQuiet                     // tell the other hosts that no rank is at work here
	stopRank                      // send SIGTERM to the trainer of the rank that has begun
	stopRanks                     // send SIGTERM to the trainers of all ranks of this host
	letRankGo                     // let the rank that has begun leave when its trainer has ended
	letRanksGo                    // let all ranks of this host leave
	closeAgent                    // end all that the launcher has started on other hosts
	setDeadline                   // send SIGTERM and SIGKILL to what is left at the latest after two times
)

func (k actionKind) String() string {
	return [...]string{
		"tell begun", "tell stop", "tell quiet", "stop rank", "stop ranks", "let rank go", "let ranks go", "close agent",
		"set deadline",
	}[k]
}

// action is one thing to do.
type action struct {
	kind       actionKind
	term, kill time.Duration // of setDeadline
}

// machine is the state of a launch on one host. It is pure: an event moves it and gives the actions to take, in their
// order.
type machine struct {
	state  state
	before state // the state that was left for over: a launch that was stopped stays one
	begun  bool  // a rank has begun on this host
	active int   // ranks of this host whose trainers have not ended

	leads    bool          // the launcher runs on this host
	script   bool          // the launcher is a script, which decides by itself what its ranks do
	grace    time.Duration // of a stop
	endBound time.Duration // how long a launcher and its ranks may take to end once the job has failed
}

// ending says whether the launch was stopped, or has failed.
func (m *machine) ending() bool { return m.phase() == stopping || m.phase() == failing }

// phase is the state, or once the launcher has ended the state before that.
func (m *machine) phase() state {
	if m.state == over {
		return m.before
	}
	return m.state
}

// move goes to a state. A launch that is over stays over.
func (m *machine) move(to state) {
	if m.state == over {
		m.before = to
		return
	}
	m.state = to
}

// on takes an event. Elsewhere says that a rank has begun on another host.
func (m *machine) on(e event, elsewhere bool) []action {
	switch e {
	case hostsReleased:
		if m.state == waiting {
			m.state = released
		}
	case rankBegan:
		return m.rankBegan()
	case rankEnded:
		m.active--
		if m.active == 0 && m.ending() {
			return []action{{kind: tellQuiet}}
		}
	case stopAsked:
		return m.stopAsked(elsewhere)
	case jobFailed:
		return m.jobFailed()
	case noRankLeft:
		return m.noRankLeft()
	case leaderOver: // the daemons are about to go by themselves
		return []action{{kind: setDeadline, term: daemonsTerm, kill: daemonsKill}}
	case launcherOver:
		if m.state != over {
			m.before, m.state = m.state, over
		}
	}
	return nil
}

func (m *machine) rankBegan() []action {
	m.active++
	m.begun = true
	if m.phase() == released {
		m.move(running)
	}
	actions := []action{{kind: tellBegun}}
	switch {
	case m.phase() == failing:
		actions = append(actions, action{kind: stopRank}, action{kind: letRankGo})
	case m.phase() == stopping && !m.script: // a script may start ranks that save
		actions = append(actions, action{kind: stopRank})
	}
	return actions
}

// stopAsked: a second SIGTERM changes nothing, since whoever stops a whole cluster sends one to each host.
func (m *machine) stopAsked(elsewhere bool) []action {
	if m.ending() {
		return nil
	}
	m.move(stopping)
	actions := append([]action{{kind: stopRanks}}, m.stopDeadline(elsewhere)...)
	actions = append(actions, action{kind: tellStop})
	if m.active == 0 {
		actions = append(actions, action{kind: tellQuiet})
	}
	return actions
}

// stopDeadline gives a stop its grace. The launcher gets SIGTERM shortly before the end of the grace: it still knows best
// how to end its ranks.
func (m *machine) stopDeadline(elsewhere bool) []action {
	switch {
	case !m.leads:
		return []action{{kind: setDeadline, term: m.grace, kill: m.grace}}
	case m.script && m.active == 0: // what the script has started is its own to stop
		return []action{{kind: setDeadline, kill: m.grace}}
	case !m.script && !m.begun && !elsewhere: // a launcher waits for its agents, Open MPI 5 for ever
		return []action{{kind: closeAgent}, {kind: setDeadline, kill: m.endBound}}
	}
	term := m.grace - min(m.grace/6, launcherShare)
	return []action{{kind: setDeadline, term: term, kill: m.grace}}
}

// jobFailed ends the ranks at once: a collective without one of its members cannot be saved.
func (m *machine) jobFailed() []action {
	if m.phase() == failing {
		return nil
	}
	m.move(failing)
	return []action{
		{kind: stopRanks},
		{kind: letRanksGo},
		{kind: setDeadline, term: m.endBound, kill: m.endBound * 3 / 2},
	}
}

// noRankLeft lets the ranks go: nobody can be cut short any more.
func (m *machine) noRankLeft() []action {
	actions := []action{{kind: letRanksGo}}
	if m.leads && !m.script { // a script may have more to do
		actions = append(actions, action{kind: setDeadline, term: launcherEnd, kill: 2 * launcherEnd})
	}
	return actions
}
