package hosts

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// jobsVariable is how many jobs TestJobsOnALossyNetwork runs; defaultJobs without it.
const (
	jobsVariable = "JOBS"
	defaultJobs  = 2
)

// TestJobsOnALossyNetwork runs jobs on a network that loses a fifth of all TCP packets, at the time-outs that
// users have. All of them succeed. How many hosts a job has and how long each of them trains is random.
func TestJobsOnALossyNetwork(t *testing.T) {
	jobs, err := strconv.Atoi(os.Getenv(jobsVariable))
	if err != nil {
		jobs = defaultJobs
	}
	for i := range jobs {
		t.Run(strconv.Itoa(i+1), func(t *testing.T) {
			t.Parallel()
			n := 2 + rand.IntN(3)
			s := scenario{
				n: n, prepare: loseAFifth, before: true, act: func(*lab) {}, codes: make([]int, n),
				special: map[int][]string{}, within: 2 * time.Minute,
				words: []string{"run", "--args-style", "none", "--", "sh", "-c", "sleep $SPAN"},
			}
			for host := range n {
				s.special[host] = []string{fmt.Sprintf("SPAN=%.3f", 3*rand.Float64())}
			}
			s.run(t)
		})
	}
}
