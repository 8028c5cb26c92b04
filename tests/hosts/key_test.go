package hosts

import (
	"strings"
	"testing"
	"time"
)

// TestHostsWithoutOneKey checks that a host which can never join, since it lacks the cluster's key, ends the
// wait of all hosts at once.
func TestHostsWithoutOneKey(t *testing.T) {
	key := func(digits string) []string {
		return []string{"ENTRAIN_CLUSTER_KEY=" + strings.Repeat(digits, 32)}
	}
	const short, noKey = "ENTRAIN_CLUSTER_KEY=abc", "it has a cluster key, and this host has none"
	const malformed = "the cluster key in ENTRAIN_CLUSTER_KEY: expected the 64 hexadecimal digits " +
		"that entrain keygen writes, got 3 characters"
	const mine = "algo-1 refuses: its cluster key and the one here are different"
	for _, s := range []scenario{
		{
			name: "a worker has none", special: map[int][]string{0: key("ab"), 2: key("ab")},
			codes: []int{65, 65, 65}, failure: "algo-2: came without this cluster's key: it has none",
			failed: map[int]string{1: "algo-1 refuses: " + noKey},
		},
		{
			name: "a worker has another", special: map[int][]string{0: key("ab"), 1: key("cd"), 2: key("ab")},
			codes: []int{65, 65, 65}, failure: "algo-2: came without this cluster's key: it has another one",
			failed: map[int]string{1: mine},
		},
		{
			name: "a worker alone has one", special: map[int][]string{1: key("ab")}, codes: []int{65, 65, 65},
			failure: "algo-2: has a cluster key, and algo-1 has none",
			failed:  map[int]string{1: "algo-1 refuses: it has no cluster key, and this host has one"},
		},
		{
			name: "a worker's is malformed", special: map[int][]string{0: key("ab"), 1: {short}, 2: key("ab")},
			codes: []int{64, 64, 64}, failure: "algo-2: " + malformed, failed: map[int]string{1: malformed},
		},
		{
			name: "the leader's is malformed", special: map[int][]string{0: {short}, 1: key("ab"), 2: key("ab")},
			codes: []int{64, 64, 64}, failure: "algo-1: " + malformed, failed: map[int]string{0: malformed},
		},
		{
			name:    "the leader's is empty",
			special: map[int][]string{0: {"ENTRAIN_CLUSTER_KEY="}, 1: key("ab"), 2: key("ab")},
			codes:   []int{64, 64, 64}, failure: "(algo-1: )?.*ENTRAIN_CLUSTER_KEY.*",
		},
		{
			name: "a key is required", words: []string{"run", "--require-key", "--", "true"},
			codes: []int{64, 64, 64}, failure: `(algo-\d: )?--require-key: there is no cluster key`,
		},
	} {
		s.n, s.within, s.act, s.before = 3, 8*time.Second, func(*lab) {}, true
		if s.words == nil {
			s.words = trainArgs("true")
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}

// TestTextOfTrainerIsPrintable checks what a trainer printed in the failure files and the logs of all hosts.
func TestTextOfTrainerIsPrintable(t *testing.T) {
	t.Parallel()
	const fails = `test $SM_CURRENT_HOST = algo-2 || exec sleep 60
printf 'ValueError: a\033]0;title\007\033[31mb\342\200\256c\302\233md\357\273\277e\r\n' >&2; exit 3`
	s := scenario{
		n: 2, words: trainArgs("sh", "-c", fails), codes: []int{3, 3},
		failure: "algo-2: exit code 3: ValueError: abcde", failed: map[int]string{1: "ValueError: abcde\n"},
	}
	s.run(t)
}
