package rendezvous

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The environment of TestScale.
const (
	hostsVariable = "ENTRAIN_HOSTS"       // the number of hosts; 256 without it, 1,000 in scripts/bench
	restVariable  = "ENTRAIN_REST"        // the time for which the hosts only send heartbeats
	keyVariable   = "ENTRAIN_KEY"         // 1 gives the hosts a key
	portVariable  = "ENTRAIN_LEADER_PORT" // set in the process of the leader
)

func TestMain(m *testing.M) {
	if port := os.Getenv(portVariable); port != "" {
		if err := simulateLeader(port); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// simulated makes a network of n hosts, with or without a key.
func simulated(n, port int) *network {
	w := &network{port: port, change: func(c *Config) {
		c.PeerTimeout, c.Self.Slots = 30*time.Second, 8 // the hosts are alike, as those of a job are
		if os.Getenv(keyVariable) != "" {
			c.Key = Key{strings.Repeat("k", keySize)}
		}
	}}
	for i := range n {
		w.hosts = append(w.hosts, "h"+strconv.Itoa(i))
	}
	return w
}

// simulateLeader leads until all other hosts have left.
func simulateLeader(port string) error {
	n, _ := strconv.Atoi(os.Getenv(hostsVariable))
	number, _ := strconv.Atoi(port)
	s, err := Open(simulated(n, number).config(0))
	if err != nil {
		return err
	}
	fmt.Println("listening")
	debug.SetMemoryLimit(32<<20 + int64(n)*24<<10) // as a job has it: see peers.Memory
	s.Ready(nil)
	if _, err := s.Gather(context.Background()); err != nil {
		return err
	}
	s.End(End{})
	return s.Leave(context.Background(), 0)
}

// TestScale simulates many hosts. The leader is a process of its own, so that its memory and its time can
// be measured. The other hosts are sessions of the test process, each at a loopback address of its own.
func TestScale(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv(hostsVariable))
	if err != nil {
		n = 256
	}
	w := simulated(n, newNetwork(t, 1).port)
	w.t = t
	leader := exec.Command(os.Args[0])
	leader.Env = append(os.Environ(), hostsVariable+"="+strconv.Itoa(n), portVariable+"="+strconv.Itoa(w.port))
	leader.Stderr = os.Stderr
	out, err := leader.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := leader.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = leader.Process.Kill() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "listening\n" {
		t.Fatalf("the leader says %q, %v", line, err)
	}

	// All hosts but the last one join. The last one joins when the leader has heard of the others.
	sessions := make([]*Session, n)
	var opening sync.WaitGroup
	for i := 1; i < n-1; i++ {
		opening.Go(func() {
			sessions[i] = w.open(i)
			sessions[i].Ready(nil)
		})
	}
	opening.Wait()
	joined := func() bool {
		for _, s := range sessions[1 : n-1] {
			s.mu.Lock()
			heard := len(s.lastView.Missing) > 0
			s.mu.Unlock()
			if !heard {
				return false
			}
		}
		return true
	}
	start := time.Now()
	for !joined() {
		if time.Since(start) > 2*testTimeout {
			t.Fatal("not all could join")
		}
		time.Sleep(10 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*testTimeout)
	defer cancel()
	last := time.Now()
	sessions[n-1] = w.open(n - 1)
	sessions[n-1].Ready(nil)
	for i, s := range sessions[1:] {
		if table, err := s.Gather(ctx); err != nil || len(table) != n {
			t.Fatalf("h%d: %d members, %v", i+1, len(table), err)
		}
	}
	t.Logf("%d hosts: all released %s after the last one came; the leader has %d KiB resident",
		n, time.Since(last).Round(time.Millisecond), status(t, leader.Process.Pid, "VmRSS:"))
	if rest, err := time.ParseDuration(os.Getenv(restVariable)); err == nil {
		before := cpu(t, leader.Process.Pid)
		time.Sleep(rest)
		used := cpu(t, leader.Process.Pid) - before
		t.Logf("%d hosts: in %s of heartbeats the leader used %.2f %% of one core, "+
			"and has %d KiB resident, %d KiB at most", n, rest, 100*used.Seconds()/rest.Seconds(),
			status(t, leader.Process.Pid, "VmRSS:"), status(t, leader.Process.Pid, "VmHWM:"))
	}
	for i, err := range leave(t, sessions, make([]End, n)...) {
		if err != nil {
			t.Errorf("h%d: %v", i, err)
		}
	}
	if err := leader.Wait(); err != nil {
		t.Errorf("the leader: %v", err)
	}
}

// status returns the number after a key of /proc/PID/status.
func status(t *testing.T, pid int, key string) int {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), key)
	n, _ := strconv.Atoi(strings.Fields(rest)[0])
	return n
}

// cpu returns the time that a process has used, which the kernel counts in ticks of 10 ms.
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')'):]))
	user, _ := strconv.Atoi(fields[12])
	system, _ := strconv.Atoi(fields[13])
	return time.Duration(user+system) * 10 * time.Millisecond
}
