package hosts

import (
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scenario is a cluster and what happens to it. The first host has the number 0.
type scenario struct {
	name    string
	n       int               // the number of hosts
	words   []string          // the arguments of entrain on every host
	special map[int][]string  // variables that one host has in addition
	absent  []int             // hosts that never start
	files   map[string]string // files that every host has below its directory
	act     func(*lab)        // runs after all hosts have printed "training"
	before  bool              // act runs as soon as the hosts have started
	prepare func(*lab)        // runs before any host starts
	codes   []int             // the exit code of each host
	failure string            // a regular expression for the beginning of every failure file
	failed  map[int]string    // the same for a host that differs
	within  time.Duration     // the longest time from the end of act to the end of the last host; 0 means 15 s
}

// These codes leave open with which code a host ends.
const (
	anyFailure = -2 // any code but 0
	killedHost = -3 // unshare gives no certain code for a host that was killed
)

// run plays the scenario and checks how each host ends.
func (s *scenario) run(t *testing.T) {
	t.Helper()
	l := newLab(t, s.n)
	for _, h := range l.hosts {
		for name, text := range s.files {
			h.write(name, text)
		}
	}
	if s.prepare != nil {
		s.prepare(l)
	}
	for i, h := range l.hosts {
		if !slices.Contains(s.absent, i) {
			h.run(append(slices.Clone(s.special[i]), s.words...)...)
		}
	}
	if s.act != nil {
		if !s.before {
			l.waitForTraining()
		}
		s.act(l)
	}
	if s.within == 0 {
		s.within = 15 * time.Second
	}
	until := time.Now().Add(s.within)
	for i, h := range l.hosts {
		if h.job == nil {
			continue
		}
		code, want := h.job.waitForEnd(time.Until(until)), s.codes[i]
		if code != want && want != killedHost && (want != anyFailure || code <= 0) {
			t.Errorf("%s ended with %d, expected %d", h.name, code, want)
		}
		text, other := s.failed[i]
		if !other && want != 0 {
			text = s.failure
		}
		got := h.read("ml/output/failure")
		if !regexp.MustCompile("^"+text).MatchString(got) || text == "" && got != "" {
			t.Errorf("%s: the failure file says %q, expected %q…", h.name, got, text)
		}
	}
}

// waitForTraining waits until every trainer has printed "training". Under a launcher the leader prints
// the output of all trainers.
func (l *lab) waitForTraining() {
	l.t.Helper()
	err := eventually("all trainers train", func() bool {
		said := 0
		for _, h := range l.hosts {
			said += strings.Count(h.job.said.String(), "training")
		}
		return said == len(l.hosts)
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// sendSignal is an act that sends a signal to entrain on a host.
func sendSignal(host int, sig syscall.Signal) func(*lab) {
	return func(l *lab) { l.hosts[host].job.signal(sig) }
}

// killProgram is an act that kills the processes with a name on a host.
func killProgram(host int, name string) func(*lab) {
	return func(l *lab) { l.hosts[host].job.kill(name) }
}

// cutOff is an act that takes a host off the network.
func cutOff(host int) func(*lab) {
	return func(l *lab) { l.hosts[host].cut() }
}

// trainArgs returns the arguments of entrain for a trainer.
func trainArgs(words ...string) []string {
	return append([]string{"run", "--args-style", "none", "--peer-timeout", "6s", "--"}, words...)
}
