package rendezvous

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"entrain/hostwait/rendezvous/simnet"
)

// The environment of TestSimulation.
const (
	seedsVariable = "SEEDS" // how many seeds are played
	seedVariable  = "SEED"  // the only seed that is played, with its trace
)

// defaultSeeds is how many seeds a test plays without SEEDS.
const defaultSeeds = 150

// TestSimulation plays jobs in a simulated network, with virtual time. A seed decides what the network and
// the hosts do.
func TestSimulation(t *testing.T) {
	if seed, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64); err == nil {
		playSeed(t, seed, true)
		return
	}
	for seed := range uint64(seeds()) {
		playSeed(t, seed+1, false)
	}
}

// seeds is how many seeds a test plays.
func seeds() int {
	if n, err := strconv.Atoi(os.Getenv(seedsVariable)); err == nil {
		return n
	}
	return defaultSeeds
}

// TestSeedsThatFoundFaults plays the seeds that have found a fault, which the other test may not reach.
func TestSeedsThatFoundFaults(t *testing.T) {
	for _, seed := range []uint64{
		3,     // the loss of a host was noticed 3 s after its connection had been closed
		8,     // the leader was gone before a worker had heard that its end was known
		32,    // an answer that was cut counted as the answer of another program
		98,    // a worker ended with 0 although the leader knew of a failure
		2973,  // a host that was not released stayed a second for an answer, and the network lost its connection
		3038,  // a failure whose word came late counted from when it came
		11043, // a hello that was held up counted as a sign that a killed host was well
		20136, // a host that stood still was killed before it went on, and the check took that for the later loss
		20501, // two hellos that one stall held up counted as a clock that was set
		35377, // the leader lost a worker that had ended well
		47015, // a worker did not hear for a short PeerTimeout, and the check asked it for the leader's reason
		52021, // the leader stayed for a killed host whose last word the network had held up
		52536, // a hello that was said before a kill, and held up, counted as a sign of life after it
		54660, // the same, with five hosts
		59506, // a trainer failed since a host was killed that had ended well, and the check took that for nothing
		62895, // a host that knew of a failure, and was cut off, ended with 0
		64448, // a network that does its worst all the time keeps a host from speaking for a short PeerTimeout
		64550, // the same on five hosts, at the end
		75843, // a worker that was lost asked a leader that had ended, and the check asked for one reason
		80778, // the leader stood still while a connection broke
		91747, // a host that was cut off before its end was lost first, and an earlier loss was not waited for
	} {
		playSeed(t, seed, false)
	}
}

// TestLossyNetworkEndsNoJob: jobs on a network that loses a fifth of all segments end with 0 everywhere.
// scripts/test plays hundreds of them.
func TestLossyNetworkEndsNoJob(t *testing.T) {
	for seed := range uint64(seeds() / 10) {
		playJob(t, newLossyJob, seed, false)
	}
}

// TestReplayIsExact: a seed decides all that happens.
func TestReplayIsExact(t *testing.T) {
	for seed := range uint64(20) {
		var traces [2]string
		for i := range traces {
			synctest.Test(t, func(*testing.T) {
				j := newSimJob(seed)
				j.play()
				lines := strings.Split(j.net.Trace(), "\n")
				slices.Sort(lines) // what happens on several hosts at once is noted in any order
				traces[i] = strings.Join(lines, "\n")
			})
		}
		if traces[0] != traces[1] {
			t.Errorf("seed %d: first\n%s\nthen\n%s", seed, traces[0], traces[1])
		}
	}
}

// playSeed plays the job of a seed. Where something is wrong it prints the seed and what happened.
func playSeed(t *testing.T, seed uint64, verbose bool) {
	t.Helper()
	playJob(t, newSimJob, seed, verbose)
}

func playJob(t *testing.T, newJob func(seed uint64) *simJob, seed uint64, verbose bool) {
	t.Helper()
	t.Run(fmt.Sprintf("SEED=%d", seed), func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := newJob(seed)
			j.play()
			wrong := j.check()
			for _, text := range wrong {
				t.Error(text)
			}
			if verbose || len(wrong) > 0 {
				t.Log("\n" + j.net.Trace())
			}
		})
	})
}

// simJob is the job of a seed.
type simJob struct {
	net     *simnet.Net
	hosts   []*simHost
	timeout time.Duration // --peer-timeout
	key     Key
	gentle  bool // the network does no more than a job must survive
	cutting bool // a gentle network divides hosts
	late    bool // hosts were still there at the end of the simulation
}

// play lets all hosts live until the last one has ended.
func (j *simJob) play() {
	done, cancel := context.WithCancel(context.Background())
	var work, lives sync.WaitGroup
	for i, h := range j.hosts {
		h.done = done
		h.others = slices.DeleteFunc(slices.Clone(j.hosts), func(other *simHost) bool { return other == h })
		if m := h.machine; m.Kill.At > 0 && m.Kill.AtWrite == 0 {
			work.Go(func() {
				select {
				case <-time.After(m.Kill.At):
					m.Die()
				case <-done.Done():
				}
			})
		}
		ended := make(chan struct{})
		work.Go(func() {
			h.run(j.config(i))
			close(ended)
		})
		lives.Go(func() {
			select {
			case <-ended:
			case <-h.machine.Killed():
			case <-done.Done():
			}
		})
	}
	all := make(chan struct{})
	go func() {
		lives.Wait()
		close(all)
	}()
	select {
	case <-all:
	case <-time.After(simEnd):
		j.late = true
	}
	cancel()
	work.Wait()
	<-all
	time.Sleep(simWait) // until no process stands still any more
}

// simEnd is when a simulation gives up.
const simEnd = time.Hour

func (j *simJob) config(i int) Config {
	names := make([]string, len(j.hosts))
	for k := range names {
		names[k] = "h" + strconv.Itoa(k)
	}
	return Config{
		Hosts: names, Self: Member{Host: names[i], Slots: 1, CPUs: 1}, Mode: "run", Version: "test", Port: 1,
		PeerTimeout: j.timeout, Lookup: lookup, Printable: printable, Key: j.key, Job: "job",
		Warn: func(text string) { j.net.Note("h%d warns: %s", i, text) },
		Dial: j.net.Machines[i].Dial, Listen: j.net.Listen, Vary: j.net.Machines[i].Vary,
	}
}
