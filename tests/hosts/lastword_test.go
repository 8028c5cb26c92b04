package hosts

import (
	"testing"
	"time"
)

// TestLastWordIsHeard checks that all hosts end with one code although the network loses the last words of
// a job for some seconds, with the time-outs that users have.
func TestLastWordIsHeard(t *testing.T) {
	const onCommand = `echo training; until [ -e /opt/ml/go ]; do sleep 0.05; done; `
	args := func(script string) []string {
		return []string{"run", "--args-style", "none", "--", "sh", "-c", onCommand + script}
	}
	soon := func(script string) []string {
		return append([]string{"run", "--peer-timeout", "12s"}, args(script)[1:]...)
	}
	answers := []string{"-i", "eth0", "--sport", "7791", "--tcp-flags", "PSH", "PSH"}
	connections := []string{"--dport", "7791", "-s", "10.77.0.2", "--syn"}
	loseAtEnd := func(host int, match []string, span time.Duration) func(*lab) {
		return func(l *lab) {
			l.hosts[host].rule("-A", match)
			l.endTrainers()
			<-time.After(span)
			l.hosts[host].rule("-D", match)
		}
	}
	const fails = `test $SM_CURRENT_HOST != algo-3 || exit 3; sleep 60`
	for _, s := range []scenario{
		{
			name: "a worker loses the answers of the leader", words: args("true"),
			act: loseAtEnd(1, answers, 7*time.Second), codes: []int{0, 0, 0},
		},
		{
			name: "the leader loses new connections of a worker", words: args("true"),
			act: loseAtEnd(0, connections, 4*time.Second), codes: []int{0, 0, 0},
		},
		{
			name: "a worker loses the news of a failure", words: args(fails),
			act: loseAtEnd(1, answers, 7*time.Second), codes: []int{3, 3, 3},
			failure: "algo-3: exit code 3", failed: map[int]string{2: "sh: exit code 3"},
		},
		{
			name: "the leader refuses a worker that connects, for a while", words: args("true"),
			act: refuseForAWhile, codes: []int{0, 0, 0},
		},
		{
			name: "a fifth of the packets is lost", words: args("true"), prepare: loseAFifth, before: true,
			act: (*lab).endTrainers, codes: []int{0, 0, 0},
		},
		{
			name: "a worker is cut off for almost --peer-timeout", words: soon("true"),
			act: divide(1), codes: []int{0, 0, 0},
		},
		{
			name: "the leader is cut off for almost --peer-timeout", words: soon("true"),
			act: divide(0), codes: []int{0, 0, 0},
		},
	} {
		s.n, s.within = 3, 60*time.Second
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// divide is an act that cuts a host off for almost a --peer-timeout of 12 s. Then the trainers end.
func divide(host int) func(*lab) {
	return func(l *lab) {
		l.hosts[host].cut()
		<-time.After(10 * time.Second)
		l.hosts[host].heal()
		l.endTrainers()
	}
}

// refuseForAWhile resets the connection of a worker, and refuses new ones for some seconds. Then the trainers
// end.
func refuseForAWhile(l *lab) {
	const rule = `iptables -w $0 INPUT -p tcp --dport 7791 -s 10.77.0.2 -j REJECT --reject-with tcp-reset`
	must(l.t, l.hosts[0].in("sh", "-c", rule, "-I")...)
	<-time.After(10 * time.Second) // a hello comes every 2 s
	must(l.t, l.hosts[0].in("sh", "-c", rule, "-D")...)
	l.endTrainers()
}

// loseAFifth loses a fifth of the TCP packets to each host.
func loseAFifth(l *lab) {
	for _, h := range l.hosts {
		h.rule("-A", []string{"-i", "eth0", "-m", "statistic", "--mode", "random", "--probability", "0.2"})
	}
}

// endTrainers lets the trainers end that wait for a file.
func (l *lab) endTrainers() {
	l.t.Helper()
	for _, h := range l.hosts {
		h.write("ml/go", "")
	}
}
