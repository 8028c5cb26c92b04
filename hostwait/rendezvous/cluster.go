package rendezvous

import (
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

// cluster is what the leader knows of all hosts.
type cluster struct {
	c *Config

	mu       sync.Mutex
	members  map[string]*member
	tried    map[netip.Addr]string // what was wrong with those who came and may not join
	seq      int
	news     chan struct{}   // closed when seq grows
	released int             // the number of the change that released all; 0 before
	table    json.RawMessage // of all Members, once released
	first    *failure
	cause    *End            // what is told of it
	asked    time.Time       // when the first failure was heard of, and all hosts were asked to speak
	loss     bool            // it is that a host was lost
	due      bool            // the time in which an earlier failure may come is over
	decided  bool            // first stands
	bodies   map[bool][]byte // what is written of the present, without and with the table
	stopped  string
	begun    bool // a rank has begun on some host
	quiet    bool // none is at work on any host that is left
	over     *int // the exit code of the launcher
	warns    []string
}

// member is a host that has joined.
type member struct {
	hello
	addr   netip.Addr
	heard  time.Time
	lag    time.Duration // what its clock is behind, and the quickest of its hellos was late
	broken time.Time     // when its connection was closed; zero while it is not
	ended  bool          // or lost: nothing more is expected of it
	fault  string        // that was taken
}

func newCluster(c *Config) *cluster {
	return &cluster{c: c, members: map[string]*member{}, bodies: map[bool][]byte{}, tried: map[netip.Addr]string{}, news: make(chan struct{})}
}

// hear takes what a host says.
func (k *cluster) hear(h *hello, from netip.Addr, now time.Time) *refusal {
	k.mu.Lock()
	defer k.unlock()
	m, r := k.admit(h, from, now)
	if r != nil {
		return r
	}
	if h.Count < m.Count {
		return nil // an older one that was overtaken
	}
	m.measure(h, now)
	m.hello, m.heard, m.broken = *h, now, time.Time{}
	if h.Stopped && k.stopped == "" {
		k.stopped = h.Host
		k.change()
	}
	if h.Ended != nil && !m.ended {
		m.ended = true
		if k.c.Launches && h.Host == k.c.leader() {
			k.over = &h.Ended.Code
			k.decideSoon()
		}
		if h.Ended.Code != 0 {
			k.fail(h.Host, m.end(h.Ended), now)
		}
		k.change()
	}
	k.take(m, h, now)
	k.release()
	k.decideIfDue()
	return nil
}

// warn keeps a warning until the lock is let go: whoever logs may wait.
func (k *cluster) warn(text string) { k.warns = append(k.warns, text) }

// unlock lets the lock go, and says what there is to warn of.
func (k *cluster) unlock() {
	warns := k.warns
	k.warns = nil
	k.mu.Unlock()
	for _, text := range warns {
		k.c.Warn(text)
	}
}

// written is a view as it crosses. After the release it is the same for all who know as much, and is written once: with
// a thousand hosts that would be most of the work.
func (k *cluster) written(v view) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if body := k.bodies[len(v.Members) > 0]; body != nil && v.Seq == k.seq {
		return body
	}
	body, _ := json.Marshal(v) // of what was JSON already, strings and numbers
	if v.Released && v.Seq == k.seq {
		k.bodies[len(v.Members) > 0] = body
	}
	return body
}

// change tells all who wait for news.
func (k *cluster) change() {
	k.seq++
	clear(k.bodies)
	close(k.news)
	k.news = make(chan struct{})
}

// release lets all go once all are ready.
func (k *cluster) release() {
	if k.released > 0 || k.decided || k.stopped != "" || len(k.members) < len(k.c.Hosts) {
		return
	}
	table := make([]Member, len(k.c.Hosts))
	for i, host := range k.c.Hosts {
		m := k.members[host]
		if !m.Ready {
			return
		}
		table[i] = m.Member
	}
	k.table, _ = json.Marshal(table) // of strings and numbers
	k.change()
	k.released = k.seq
}

// see is what a host is told, and a channel that is closed at the next change.
func (k *cluster) see(h *hello) (view, <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v := view{Seq: k.seq, Released: k.released > 0, Stopped: k.stopped, Begun: k.begun, Quiet: k.quiet}
	if k.decided || k.first == nil { // else there is a better word to come
		v.Over = k.over
	}
	if k.decided {
		v.First = k.first
	}
	if h.Seen < k.released {
		v.Members = k.table
	}
	if k.released == 0 {
		for _, m := range k.missing(maxNames) {
			v.Missing = append(v.Missing, absence{m.Host, m.Err.Error()})
		}
	}
	return v, k.news
}

// missing are the hosts that keep the others waiting, the first few.
func (k *cluster) missing(most int) []hostwait.Missing {
	var missing []hostwait.Missing
	for _, host := range k.c.Hosts {
		if len(missing) == most {
			break
		}
		m := k.members[host]
		switch {
		case m == nil:
			missing = append(missing, hostwait.Missing{Host: host, Err: absent(k.whyAbsent())})
		case !m.Ready:
			missing = append(missing, hostwait.Missing{Host: host, Err: absent("is there, and waits for the " + strings.TrimSpace("names "+strings.Join(m.Pending, ", ")))})
		}
	}
	return missing
}

// whyAbsent is all that can be known of a host that was never heard of.
func (k *cluster) whyAbsent() string {
	why := fmt.Sprintf("has not joined: its container has not started, has failed, or cannot reach port %d of %s", k.c.Port, k.c.leader())
	for _, from := range slices.SortedFunc(maps.Keys(k.tried), netip.Addr.Compare)[:min(len(k.tried), maxTold)] {
		why = fmt.Sprintf("%s; %s was refused: %s", why, from, k.tried[from])
	}
	return oneLine(why)
}

// maxTold is how many who were refused are named.
const maxTold = 3

// absent is why a host is missing.
type absent string

func (a absent) Error() string { return string(a) }

// left says whether nobody needs the leader any more. Of a job that ended before its release those who never came are
// waited for too, for a while: they would else wait for a leader that is gone.
func (k *cluster) left(lingers bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, host := range k.c.Hosts[1:] {
		m := k.members[host]
		if m != nil && !m.ended || m == nil && k.released == 0 && lingers {
			return false
		}
	}
	return k.released == 0 || k.first == nil || k.decided
}
