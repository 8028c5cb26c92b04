package tests

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// mpiScenarios begin with the failures that an MPI without entrain handles too, often worse.
func mpiScenarios() []mpiScenario {
	const forever, saves = "ring for=600", "ring for=600 save=4"
	dies := func(how string) string { return forever + " rank=2 act=" + how }
	three, two := []int{1, 2, 1}, []int{1, 1}
	all, go2 := (*mpiHosts).releaseAll, func(h *mpiHosts) { h.release(2) }
	rank2 := func(text string) (string, map[int]string) {
		return "algo-2: rank 2: " + text, map[int]string{2: "(algo-2: )?rank 2: " + text}
	}
	exit3, exit3at := rank2("exit code 3")
	killed, killedAt := rank2("killed by SIGKILL")
	const aborted = "(algo-.: )?.*(rank 2|exit code 5)" // MPICH kills all ranks before one can report
	// The kernel may kill both ranks of the host. Under Open MPI 5 it may kill the wrapper of a rank.
	const without = "(rank [12]|a rank): killed by SIGKILL, out of memory"
	memory, memoryAt := "algo-2: "+without, map[int]string{2: "(algo-2: )?" + without}
	lost := func(i int) string { return fmt.Sprintf("algo-%d: lost: ", i) }
	return []mpiScenario{
		{
			name: "a rank exits 3", slots: three, watch: true, trainer: dies("exit:3"), act: go2, code: 3,
			failure: exit3, failed: exit3at,
		},
		{
			name: "a rank exits 3, OpenSSH", openssh: true, slots: three, watch: true, trainer: dies("exit:3"),
			act: go2, code: 3, failure: exit3, failed: exit3at,
		},
		{
			name: "a rank is killed", slots: three, trainer: dies("kill"), act: go2, code: 137, failure: killed,
			failed: killedAt,
		},
		{name: "a rank aborts", slots: three, trainer: dies("abort:5"), act: go2, code: 5, failure: aborted},
		{
			name: "a rank aborts with 0", slots: three, trainer: dies("abort:0"), act: go2, code: 1,
			failure: "algo-2: rank 2: .*MPI_A",
		},
		{
			name: "a rank sends to nobody", only: "Open MPI 4.1, Open MPI 5.0", slots: three, trainer: dies("send"),
			act: go2, code: 6,
			failure: "algo-2: rank 2: exit code 6: MPI_Send: MPI_ERR_RANK: invalid rank\n(.*\n)*mpirun",
		},
		{
			// Open MPI 5 sometimes blames a rank that notices it.
			name: "a rank ends without MPI_Finalize", only: "Open MPI 4.1", slots: three,
			trainer: dies("exit:0"), act: go2, code: 1, failure: "algo-2: rank 2: exiting improperly",
		},
		{
			name: "a rank is out of memory", slots: three, trainer: dies("oom"), act: go2, code: 137,
			failure: memory, failed: memoryAt,
			special: map[int][]string{2: {"-m", "512m", "--memory-swap", "512m"}},
		},
		{
			name: "mpirun is told to end", slots: three, trainer: forever,
			act: signalTo(1, 15, (*mpiHosts).launcher), code: badCode,
		},
		{
			name: "mpirun is killed", slots: three, watch: true, trainer: forever,
			act: signalTo(1, 9, (*mpiHosts).launcher), code: badCode,
		},
		{
			name: "a daemon is killed", slots: three, watch: true, trainer: forever,
			act: signalTo(3, 9, (*mpiHosts).daemon), code: badCode,
			failure: "algo-3: ", failed: map[int]string{3: ""},
		},
		{
			name: "an agent is killed", slots: three, watch: true, trainer: forever,
			act: signalTo(1, 9, program("entrain-rsh")), code: 69,
			failure: "algo-[23]: ", failed: map[int]string{2: "", 3: ""},
		},
		{
			name: "ssh is killed", openssh: true, slots: two, watch: true, trainer: forever,
			act: signalTo(1, 9, program("ssh")), code: badCode, failure: "(algo-2: )?",
		},
		{
			name: "a worker is killed", slots: three, trainer: forever, act: docker("kill", 3), code: 69,
			codes:   map[int]int{3: 137},
			failure: lost(3), failed: map[int]string{3: ""},
		},
		{
			name: "a worker is killed, OpenSSH", openssh: true, slots: three, trainer: forever,
			act: docker("kill", 3), code: 69, codes: map[int]int{3: 137},
			failure: lost(3), failed: map[int]string{3: ""},
		},
		{
			name: "the leader is killed", slots: three, trainer: forever, act: docker("kill", 1), code: 69,
			codes:   map[int]int{1: 137},
			failure: lost(1), failed: map[int]string{1: ""},
		},
		{
			name: "a link is cut", slots: three, watch: true, trainer: forever, act: cutOff(3), code: 69,
			failure: lost(3), failed: map[int]string{3: lost(1)},
		},
		{
			name: "a link is cut, OpenSSH", openssh: true, slots: three, watch: true, trainer: forever,
			act: cutOff(3), code: 69,
			failure: lost(3), failed: map[int]string{3: lost(1)},
		},
		{
			name: "a stop while mpirun starts and a host cannot be reached", slots: three, launching: true,
			trainer: forever,
			act:     func(h *mpiHosts) { h.cut(3); h.release(1); h.stop() }, code: anyCode,
		},
		{name: "all are stopped", slots: three, trainer: saves, act: (*mpiHosts).stop, saved: []int{0, 1, 2, 3}},
		{
			name: "all are stopped, OpenSSH", openssh: true, slots: three, trainer: saves, act: (*mpiHosts).stop,
			saved: []int{0, 1, 2, 3},
		},
		{
			name: "one host is stopped", only: "Open MPI 5.0", slots: three, trainer: saves,
			act: docker("stop", 2), saved: []int{0, 1, 2, 3},
		},
		{
			name: "a rank dies of the stop", only: "Open MPI 4.1, Open MPI 5.0", slots: three,
			trainer: saves + " alone=yes rank=2 mortal=yes", act: (*mpiHosts).stop, code: anyCode,
			saved: []int{0, 1, 3},
		},
		{
			name: "all finish, hostnames are foreign", slots: []int{1, 2, 3}, foreign: true, trainer: forever,
			act: all,
		},
		{
			name: "all finish, OpenSSH, four hosts", openssh: true, slots: []int{2, 1, 1, 1}, foreign: true,
			trainer: forever, act: all,
		},
		{
			name: "algo-10 comes before algo-2", slots: three, names: []string{"algo-10", "algo-2", "algo-1"},
			trainer: "ring",
		},
		{
			name: "one host is 20 s late", only: "Open MPI 5.0", slots: three,
			late: map[int]time.Duration{2: 20 * time.Second}, trainer: "ring",
		},
		{name: "C++", openssh: true, slots: two, trainer: "cpp"},
		{name: "Python", slots: two, trainer: "py --lr 0.1"},
		{name: "neither ssh nor a shell", slots: three, bare: true, trainer: "ring"},
		{name: "no root", slots: three, options: []string{"--user", "1000:1000"}, trainer: "ring"},
		{
			name: "neither a key, nor ssh, nor a shell", only: "MPICH 4.2", openssh: true, slots: two, bare: true,
			never: true, trainer: "ring", code: 64,
			failure: "(algo-.: )?.*RUN entrain keygen.*openssh-client openssh-server",
		},
		{
			name: "no root, OpenSSH", openssh: true, slots: two, options: []string{"--user", "1000:1000"},
			trainer: "ring",
		},
		{
			name: "a thousand idle connections at an agent, and the leader is late", only: "Open MPI 5.0",
			slots: three, late: map[int]time.Duration{1: 8 * time.Second},
			early: (*mpiHosts).crowd, trainer: "ring",
		},
		{
			name: "strangers at the agent", only: "MPICH 4.2", slots: three, trainer: forever,
			act: func(h *mpiHosts) { h.strangers(); h.releaseAll() },
		},
	}
}

// TestMPI checks that hosts train by MPI, that each rank knows its place, and that all hosts end
// together, whatever happens to one of them.
func TestMPI(t *testing.T) {
	needMPI(t)
	for _, s := range mpiScenarios() {
		for _, family := range mpiFamilies() {
			if s.only != "" && !strings.Contains(s.only, family.name) {
				continue
			}
			s := s // start sets the field names, so each family needs a copy
			t.Run(s.name+", "+family.name, func(t *testing.T) {
				t.Parallel()
				h := s.start(t, family)
				if s.early != nil {
					s.early(h)
				}
				if !s.never {
					h.await()
				}
				if s.act != nil {
					s.act(h)
				}
				h.check()
			})
		}
	}
}

// checkRanks checks that every rank ran on the right host and knew it.
func (h *mpiHosts) checkRanks() {
	h.t.Helper()
	notes, rank := h.notes("rank"), 0
	for i, slots := range h.s.slots {
		for local := range slots {
			var saw struct {
				Rank, Size int
				Env        map[string]string
			}
			if err := json.Unmarshal([]byte(read(h.t, notes[rank])), &saw); err != nil {
				h.t.Errorf("rank %d noted in %s: %v", rank, notes[rank], err)
			}
			want := fmt.Sprint(map[string]string{
				"SM_CURRENT_HOST": h.s.names[i], "RANK": strconv.Itoa(rank), "WORLD_SIZE": strconv.Itoa(h.total()),
				"LOCAL_RANK": strconv.Itoa(local), "LOCAL_WORLD_SIZE": strconv.Itoa(slots),
				"MASTER_ADDR": h.s.names[0], "MASTER_PORT": "7777",
			})
			if got := fmt.Sprint(saw.Env); got != want || saw.Rank != rank || saw.Size != h.total() {
				h.t.Errorf("rank %d of %d saw\n%s, want rank %d of %d\n%s",
					saw.Rank, saw.Size, got, rank, h.total(), want)
			}
			rank++
		}
	}
}
