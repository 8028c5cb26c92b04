package rendezvous

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"entrain/hostwait"
)

// roster is what the leader knows of all hosts.
type roster struct {
	config   *Config
	clock    steadyClock
	byNumber []string // all hosts in the order of their numbers

	mu       sync.Mutex
	members  map[string]*member    // the hosts that have joined, by name
	refused  map[netip.Addr]string // why the leader refused the peers at these addresses
	seq      int                   // counts the changes that the hosts must know of
	changed  chan struct{}         // closed at the next change
	released int                   // the seq at which all hosts were released; 0 before
	table    json.RawMessage       // a list of row, once all hosts are released
	// encodedViews keeps the last view as JSON, without and with the table.
	encodedViews map[bool][]byte

	firstFailure *failure  // the failure that counts so far; nil while there is none
	firstEnd     *End      // the end that firstFailure is made of
	firstTeller  string    // the host that told of it: its own host, or the leader
	firstHeardAt time.Time // when the leader heard of any failure for the first time
	firstSeq     int       // the seq at which it asked all hosts for a sign of life, since then
	firstIsLoss  bool      // firstFailure is the loss of a host
	waitIsOver   bool      // the time in which an earlier failure may be heard of has passed
	decided      bool      // firstFailure can no longer change
	restarts     int       // how often the work of all hosts was started again
	started      int       // the restart for which all hosts were ready
	startedAt    time.Time // when their work started
	restartCause *failure  // why it was started again
	stoppedHost  string    // the first host that was sent SIGTERM
	begun        bool      // a rank has begun on some host
	quiet        bool      // no rank is at work on any host that is left
	lookedAt     time.Time // when findLost has looked last
	launcherCode *int      // the exit code of the leader's launcher, once that has ended
	launcherEnd  *ended    // how it has ended
	// acceptTrouble says why the leader could not accept a connection. It is empty if it always could.
	acceptTrouble string
	differing     int      // the hosts whose commands differ from the leader's
	warnings      []string // to be logged when the lock is released
}

// member is a host that has joined.
type member struct {
	hello     // the last one
	addr      netip.Addr
	lastHeard time.Time
	saidAt    time.Time     // when it said its last hello, by the leader's clock
	delay     time.Duration // how long that hello was on its way, compared with the fastest one
	lags      lags
	answered  time.Time // when the answer to its last hello was written; zero while none is
	brokenAt  time.Time // when the connection of its last hello was closed; zero while it is open
	ended     bool      // its work has ended, or it is lost: no hello of it is waited for
	left      bool      // it needs the leader no more
	lastFault string    // the last fault of it that was noted
}

func newRoster(c *Config) *roster {
	return &roster{
		config: c, clock: steadyClock{time.Now()},
		byNumber: slices.SortedStableFunc(slices.Values(c.Hosts), hostwait.ByNumber),
		members:  map[string]*member{}, refused: map[netip.Addr]string{},
		encodedViews: map[bool][]byte{}, changed: make(chan struct{}),
	}
}

// takeHello notes what a host says, or returns why the host is refused.
func (k *roster) takeHello(h *hello, from netip.Addr, now time.Time) *refusal {
	k.mu.Lock()
	defer k.unlockAndWarn()
	m, r := k.findOrAdd(h, from, now)
	if r != nil {
		return r
	}
	if h.Count < m.Count {
		return nil // a newer hello has overtaken this one
	}
	k.noteMoment(m, h, now)
	h.Command = nil // it has been compared, and a thousand hosts would need much memory for it
	m.hello, m.lastHeard, m.brokenAt, m.left = *h, now, time.Time{}, h.Bye
	m.answered = time.Time{}
	if h.Stopped && k.stoppedHost == "" {
		k.stoppedHost = h.Host
		k.announceChange()
	}
	if h.Restarts == k.restarts { // else it speaks of work that is over
		k.noteEnd(m, h, now)
		k.takeLaunchState(m, h, now)
	}
	k.startIfAllAgain(now)
	k.releaseIfReady(now)
	k.decideIfDue()
	return nil
}

// queueWarning keeps a warning until unlockAndWarn. To log may take long, and no host may wait for that.
func (k *roster) queueWarning(text string) { k.warnings = append(k.warnings, text) }

// unlockAndWarn releases the lock and logs the warnings that were queued under it.
func (k *roster) unlockAndWarn() {
	warnings := k.warnings
	k.warnings = nil
	k.mu.Unlock()
	for _, text := range warnings {
		k.config.Warn(text)
	}
}

// encode returns a view as JSON. After the release all hosts that know the same changes get the same view,
// so it is encoded once. With a thousand hosts this would otherwise be most of the leader's work.
func (k *roster) encode(v view) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if body := k.encodedViews[len(v.Members) > 0]; body != nil && v.Seq == k.seq {
		return body
	}
	body, _ := json.Marshal(v) // never fails for strings, numbers and JSON
	if v.Released && v.Seq == k.seq {
		k.encodedViews[len(v.Members) > 0] = body
	}
	return body
}

// announceChange wakes all answers that are held back until there is news.
func (k *roster) announceChange() {
	k.seq++
	clear(k.encodedViews)
	close(k.changed)
	k.changed = make(chan struct{})
}

// releaseIfReady releases all hosts once all of them have joined and are ready.
func (k *roster) releaseIfReady(now time.Time) {
	if k.released > 0 || k.decided || k.stoppedHost != "" || len(k.members) < len(k.config.Hosts) {
		return
	}
	table := make([]Member, len(k.config.Hosts))
	for i, host := range k.config.Hosts {
		m := k.members[host]
		if !m.Ready {
			return
		}
		table[i] = m.Member
	}
	k.table, _ = json.Marshal(rowsOf(table)) // never fails for strings and numbers
	k.tellDiffering()
	k.announceChange()
	k.released, k.startedAt = k.seq, now
}

// viewFor returns the answer to a hello, and a channel that is closed at the next change.
func (k *roster) viewFor(h *hello) (view, <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v := view{Seq: k.seq, Released: k.released > 0, Stopped: k.stoppedHost, Begun: k.begun, Quiet: k.quiet}
	if k.decided || k.firstFailure == nil { // an undecided failure will say more than the exit code
		v.Over = k.launcherCode
	}
	if k.decided {
		v.First, v.Last = k.explained(), k.lastLines()
	}
	v.Undecided = k.firstFailure != nil && !k.decided
	v.Restarts, v.Started, v.Cause = k.restarts, k.started, k.restartCause
	v.Unended = (k.config.Launches || k.config.MaxRestarts > 0) && k.released > 0 && !k.haveAllEnded()
	if h.Table && h.Seen < k.released {
		v.Members = k.table
	}
	if k.released == 0 {
		v.Missing, v.Lacking = k.missingHosts(maxNames)
	}
	return v, k.changed
}

// missingHosts returns the first hosts for which the others wait, in the order of their numbers, and how many
// such hosts there are.
func (k *roster) missingHosts(most int) (missing []absence, number int) {
	unjoined := ""
	for _, host := range k.byNumber {
		m := k.members[host]
		if m != nil && m.Ready {
			continue
		}
		number++
		switch {
		case len(missing) == most:
		case m == nil:
			unjoined = cmp.Or(unjoined, k.reasonForAbsence())
			missing = append(missing, absence{host, unjoined})
		default:
			names := strings.TrimSpace("names " + strings.Join(m.Pending, ", "))
			missing = append(missing, absence{host, "is there, and waits for the " + names})
		}
	}
	return missing, number
}

// reasonForAbsence says all that the leader can know about a host that never said hello.
func (k *roster) reasonForAbsence() string {
	why := fmt.Sprintf("has not joined: its container has not started, has failed, "+
		"or cannot reach port %d of %s", k.config.Port, k.config.leaderHost())
	if k.acceptTrouble != "" {
		why = fmt.Sprintf("has not joined: %s cannot accept its connection: %s",
			k.config.leaderHost(), k.acceptTrouble)
	}
	addrs := slices.SortedFunc(maps.Keys(k.refused), netip.Addr.Compare)
	for _, from := range addrs[:min(len(addrs), maxRefusedNamed)] {
		why = fmt.Sprintf("%s; %s was refused: %s", why, from, k.refused[from])
	}
	return k.config.oneLine(why)
}

// maxRefusedNamed is the number of refused addresses that reasonForAbsence names.
const maxRefusedNamed = 3

// absenceError is the reason why a host is missing.
type absenceError string

func (a absenceError) Error() string { return string(a) }

// isUnneeded reports whether no other host needs the leader any more. The silence of a host that has ended
// counts from when it said its last hello: instead of one that is held up, it says a new one. Where the job
// has ended before its release and stays is true, the leader also stays for the hosts that have not joined
// yet. They would otherwise wait for a leader that is gone.
func (k *roster) isUnneeded(stays bool, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, host := range k.config.Hosts[1:] {
		m := k.members[host]
		isSilent := m != nil && now.Sub(k.silentSince(m))+m.delay >= k.config.PeerTimeout
		isThere := m != nil && !m.left && (!m.ended || !isSilent)
		if isThere || m == nil && k.released == 0 && stays {
			return false
		}
	}
	return k.released == 0 || k.firstFailure == nil || k.decided
}
