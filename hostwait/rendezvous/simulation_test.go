package rendezvous

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The environment of TestSimulation.
const (
	seedsVariable = "SEEDS" // how many seeds are played
	seedVariable  = "SEED"  // the only seed that is played, with its trace
)

// defaultSeeds is how many seeds a test plays without SEEDS.
const defaultSeeds = 300

// TestSimulation plays jobs in a simulated network, with virtual time. A seed decides what the network and
// the hosts do.
func TestSimulation(t *testing.T) {
	if seed, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64); err == nil {
		playSeed(t, seed, true)
		return
	}
	n, err := strconv.Atoi(os.Getenv(seedsVariable))
	if err != nil {
		n = defaultSeeds
	}
	for seed := range uint64(n) {
		playSeed(t, seed+1, false)
	}
}

// TestSeedsThatFoundFaults plays the seeds that have found a fault, which the other test may not reach.
func TestSeedsThatFoundFaults(t *testing.T) {
	for _, seed := range []uint64{
		3,     // the loss of a host was noticed 3 s after its connection had been closed
		8,     // the leader was gone before a worker had heard that its end was known
		32,    // an answer that was cut counted as the answer of another program
		98,    // a worker ended with 0 although the leader knew of a failure
		3038,  // a failure whose word came late counted from when it came
		11043, // a hello that was held up counted as a sign that a killed host was well
	} {
		playSeed(t, seed, false)
	}
}

// playSeed plays the job of a seed. Where something is wrong it prints the seed and what happened.
func playSeed(t *testing.T, seed uint64, verbose bool) {
	t.Helper()
	t.Run(fmt.Sprintf("SEED=%d", seed), func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := newSimJob(seed)
			j.play()
			wrong := j.check()
			for _, text := range wrong {
				t.Error(text)
			}
			if verbose || len(wrong) > 0 {
				t.Log("\n" + strings.Join(j.net.trace, "\n"))
			}
		})
	})
}

// simJob is the job of a seed.
type simJob struct {
	net     *simNet
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
		if m := h.machine; m.kill.at > 0 && m.kill.atWrite == 0 {
			work.Go(func() {
				select {
				case <-time.After(m.kill.at):
					m.die()
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
			case <-h.machine.killed:
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
		Warn: func(text string) { j.net.note("h%d warns: %s", i, text) },
		Dial: j.net.machines[i].dial, Listen: j.net.listen,
	}
}
