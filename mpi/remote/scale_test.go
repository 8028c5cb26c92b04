package remote

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// TestManyHostsRunCommandsAtOnce connects to 64 hosts at once, and runs a command on all of them at once.
func TestManyHostsRunCommandsAtOnce(t *testing.T) {
	const workers = 64
	n := newNetwork(t, workers+1)
	for i := range workers {
		n.serve(t, i+1)
	}
	p := n.pool(t, 0)
	p.Connect(t.Context(), n.hosts[1:])
	var work sync.WaitGroup
	for i := range workers {
		s := newStreams(t)
		work.Go(func() {
			words := []string{fmt.Sprintf("echo h%d; exit %d", i+1, i%3)}
			code, err := p.Exec(t.Context(), n.hosts[i+1], words, s.files)
			out, _ := s.end()
			if code != i%3 || err != nil || out != fmt.Sprintf("h%d\n", i+1) {
				t.Errorf("h%d: code %d, error %v, stdout %q", i+1, code, err, out)
			}
		})
	}
	work.Wait()
}

// BenchmarkCommand runs an empty remote command, from the call of Rsh to its exit code. The daemon is /bin/sh
// -c true.
func BenchmarkCommand(b *testing.B) {
	n := newNetwork(b, 2)
	n.serve(b, 1)
	_, socket := n.local(b, Handlers{Remote: n.pool(b, 0).Exec})
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	b.Run("in this process", func(b *testing.B) {
		for b.Loop() {
			if code, err := Rsh(socket, []string{"h1", "true"}, null, null, null); code != 0 || err != nil {
				b.Fatal(code, err)
			}
		}
	})
	b.Run("as a process", func(b *testing.B) {
		for b.Loop() {
			if err := exec.Command(os.Args[0], "rsh", socket, "h1", "true").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkHandshake connects a leader to all its workers, until all connections stand. All hosts share this
// machine.
func BenchmarkHandshake(b *testing.B) {
	for _, workers := range []int{1, 64} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			n := newNetwork(b, workers+1)
			for i := range workers {
				n.serve(b, i+1)
			}
			for b.Loop() {
				p, err := NewPool(n.config(0))
				if err != nil {
					b.Fatal(err)
				}
				p.Connect(b.Context(), n.hosts[1:])
				for _, host := range n.hosts[1:] {
					if _, err := p.connected(b.Context(), host); err != nil {
						b.Fatal(err)
					}
				}
				p.Close()
			}
		})
	}
}

// BenchmarkRank takes a rank through its whole life: register, stop, report the end, leave.
func BenchmarkRank(b *testing.B) {
	_, socket := newNetwork(b, 1).local(b, Handlers{Joined: func(r *RankConn) {
		r.Stop()
		go func() {
			<-r.Done()
			r.Leave()
		}()
	}})
	for b.Loop() {
		c, err := Register(socket, 0)
		if err != nil {
			b.Fatal(err)
		}
		<-c.Stopped()
		_ = c.Ended(RankEnd{})
		<-c.Left()
		_ = c.conn.Close() // as at the end of its process
	}
}
