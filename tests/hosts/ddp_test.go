package hosts

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ddp is a rank of a training that stands in for PyTorch's DDP over gloo. It knows its place by the same
// variables, meets the other ranks at MASTER_ADDR, has a connection to each of them, and fails as gloo does
// when one of them is gone. The argument is the number of steps. DDP=RANK:WHAT says what a rank does instead
// of its third step; RANK * stands for all ranks.
func ddp(args []string) int {
	steps, err := strconv.Atoi(args[0])
	rank, size := number("RANK"), number("WORLD_SIZE")
	if err != nil || rank < 0 || size < 1 {
		fmt.Fprintln(os.Stderr, "RuntimeError: no place for this rank:", args, rank, size)
		return 2
	}
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, syscall.SIGTERM)
	who, what, _ := strings.Cut(os.Getenv("DDP"), ":")
	if who != "*" && who != strconv.Itoa(rank) {
		what = ""
	}
	peers, err := mesh(rank, size)
	if err != nil {
		return peerGone(err)
	}
	worker := exec.Command("sleep", "600") // as a DataLoader has workers
	worker.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := worker.Start(); err != nil {
		return peerGone(err)
	}
	fmt.Println("training", rank)
	for step := range steps {
		if len(stop) > 0 && strings.HasPrefix(what, "save") {
			return save(strings.TrimPrefix(what, "save "), worker, stop)
		} else if len(stop) > 0 {
			signal.Reset(syscall.SIGTERM)
			_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		}
		if step == 3 {
			misbehave(what, peers)
		}
		if err := allReduce(rank, peers); err != nil && len(stop) == 0 {
			return peerGone(err)
		}
	}
	return 0
}

// number is the value of a variable; -1 for none.
func number(name string) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return -1
	}
	return n
}

// peerGone says that a peer has gone, and fails, as torch does with the gloo backend.
func peerGone(err error) int {
	fmt.Fprintf(os.Stderr, "RuntimeError: [pair.cc:534] Connection closed by peer (%v)\n", err)
	return 1
}

// misbehave fails in one of the ways in which a rank fails. Python closes the connections of an exception
// some time before it ends.
func misbehave(what string, peers []net.Conn) {
	switch what {
	case "raise":
		fmt.Fprintln(os.Stderr, "Traceback (most recent call last):\n"+
			"  File \"/opt/train.py\", line 7, in <module>\n    raise RuntimeError(\"boom\")\nRuntimeError: boom")
		for _, peer := range peers {
			if peer != nil {
				_ = peer.Close()
			}
		}
		time.Sleep(300 * time.Millisecond) // the interpreter needs that long to end
		os.Exit(1)
	case "exit":
		fmt.Fprintln(os.Stderr, "error: no such file: labels.csv")
		os.Exit(3)
	case "segv":
		_ = syscall.Exec("/bin/sh", []string{"sh", "-c", "kill -SEGV $$"}, nil) // Go itself would catch it
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "hang":
		select {}
	}
}

// save saves for a time, with its worker, and ends well. A second SIGTERM, or a dead worker, spoils that.
func save(long string, worker *exec.Cmd, stop <-chan os.Signal) int {
	<-stop
	span, _ := time.ParseDuration(long)
	select {
	case <-stop:
		fmt.Fprintln(os.Stderr, "RuntimeError: a second SIGTERM")
		return 1
	case <-time.After(span):
	}
	if err := worker.Process.Signal(syscall.SIGCONT); err != nil {
		fmt.Fprintln(os.Stderr, "RuntimeError: DataLoader worker killed by signal: Terminated")
		return 1
	}
	fmt.Println("saved")
	_ = worker.Process.Kill()
	return 0
}

// allReduce sends the rank to each peer, and takes theirs.
func allReduce(rank int, peers []net.Conn) error {
	for _, peer := range peers {
		if peer == nil {
			continue
		}
		if _, err := peer.Write([]byte{byte(rank)}); err != nil {
			return err
		}
	}
	for i, peer := range peers {
		got := []byte{0}
		if peer == nil {
			continue
		}
		if _, err := io.ReadFull(peer, got); err != nil {
			return err
		}
		if int(got[0]) != i {
			return fmt.Errorf("rank %d says %d", i, got[0])
		}
	}
	time.Sleep(20 * time.Millisecond) // the work of a step
	return nil
}

// ddpHello is what a rank tells rank 0: who it is, and where it listens. Rank 0 answers with all of them.
type ddpHello struct {
	Rank int
	Addr string
}

// mesh connects a rank with all others: peers[i] is the connection to rank i.
func mesh(rank, size int) ([]net.Conn, error) {
	address, err := glooAddress()
	if err != nil {
		return nil, err
	}
	own, err := net.Listen("tcp", address+":0")
	if err != nil {
		return nil, err
	}
	addrs, err := ddpStore(rank, size, own.Addr().String())
	if err != nil {
		return nil, err
	}
	peers := make([]net.Conn, size)
	for lower := range rank {
		if peers[lower], err = net.Dial("tcp", addrs[lower]); err != nil {
			return nil, err
		}
		if _, err := peers[lower].Write([]byte{byte(rank)}); err != nil {
			return nil, err
		}
	}
	for range size - 1 - rank {
		conn, err := own.Accept()
		if err != nil {
			return nil, err
		}
		from := []byte{0}
		if _, err := io.ReadFull(conn, from); err != nil {
			return nil, err
		}
		peers[from[0]] = conn
	}
	return peers, nil
}

// ddpStore stands in for torch's TCPStore: rank 0 serves it at MASTER_PORT. It returns the addresses of all
// ranks.
func ddpStore(rank, size int, addr string) ([]string, error) {
	addrs := make([]string, size)
	if rank == 0 {
		addrs[0] = addr
		return addrs, serveRanks(addrs)
	}
	master := net.JoinHostPort(os.Getenv("MASTER_ADDR"), os.Getenv("MASTER_PORT"))
	var conn net.Conn
	err := eventually("the store of rank 0", func() (joined bool) {
		var err error
		conn, err = net.Dial("tcp", master)
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := json.NewEncoder(conn).Encode(ddpHello{rank, addr}); err != nil {
		return nil, err
	}
	return addrs, json.NewDecoder(conn).Decode(&addrs)
}

// serveRanks waits for the addresses of all other ranks, and tells them all.
func serveRanks(addrs []string) error {
	store, err := net.Listen("tcp", ":"+os.Getenv("MASTER_PORT"))
	if err != nil {
		return err
	}
	defer store.Close()
	var conns []net.Conn
	for range addrs[1:] {
		conn, err := store.Accept()
		if err != nil {
			return err
		}
		var said ddpHello
		if err := json.NewDecoder(conn).Decode(&said); err != nil {
			return err
		}
		addrs[said.Rank] = said.Addr
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		if err := json.NewEncoder(conn).Encode(addrs); err != nil {
			return err
		}
		_ = conn.Close()
	}
	return nil
}
