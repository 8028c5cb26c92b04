package hosts

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain runs the test binary as a launcher, as its daemon or as a trainer if it has the name of one.
func TestMain(m *testing.M) {
	roles := map[string]func([]string) int{
		"mpirun": mpirun, "orted": orted, "peer": peer, "environ": environ, "gloo": gloo, "ddp": ddp,
		"attack": attack,
	}
	if play := roles[filepath.Base(os.Args[0])]; play != nil {
		os.Exit(play(os.Args[1:]))
	}
	code := m.Run()
	_ = os.RemoveAll(tools())
	os.Exit(code)
}

// mpirun starts a rank on every host of the hostfile. Like Open MPI 4, it asks its agent to start a
// daemon on each other host. The variable STANDIN makes it behave in another way.
func mpirun(args []string) int {
	if len(args) == 1 && args[0] == "--version" {
		fmt.Println("mpirun (Open MPI) 4.1.4")
		return 0
	}
	switch os.Getenv("STANDIN") {
	case "lives on":
		_ = remoteRank("foo", 0, 1, args).Run()
		select {}
	case "ends with 0":
		_ = remoteRank("foo", 0, 1, args).Run()
		return 0
	case "leaves":
		go launch(args)
		if err := eventually("a word to go", func() bool {
			_, err := os.Stat("/opt/ml/go")
			return err == nil
		}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 9
		}
		return 0
	case "does nothing":
		return 0
	case "waits":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Println("launching")
		<-stop
		return 0
	}
	return launch(args)
}

// launch starts all ranks. It returns as soon as one of them ends with a code other than 0, with that code.
func launch(args []string) int {
	data, err := os.ReadFile(os.Getenv("OMPI_MCA_orte_default_hostfile"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	codes := make(chan int, len(lines))
	var all []*exec.Cmd
	for i, line := range lines {
		cmd := remoteRank(strings.Fields(line)[0], i, len(lines), args)
		if i == 0 && os.Getenv("STANDIN") != "knows no host" {
			cmd = rank(i, len(lines), rankWords(args))
		}
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		all = append(all, cmd)
		go func() {
			_ = cmd.Wait()
			codes <- cmd.ProcessState.ExitCode()
		}()
	}
	for range all {
		if code := <-codes; code != 0 {
			for _, cmd := range all {
				_ = cmd.Process.Signal(syscall.SIGTERM)
			}
			fmt.Fprintln(os.Stderr, "mpirun: a rank, or a daemon, has failed")
			return code & 0xff
		}
	}
	return 0
}

// rankWords returns the arguments that begin with the command "entrain rank".
func rankWords(args []string) []string { return args[slices.Index(args, "rank")-1:] }

// rank is the command of rank i of n on this host.
func rank(i, n int, words []string) *exec.Cmd {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(),
		fmt.Sprintf("OMPI_COMM_WORLD_RANK=%d", i), fmt.Sprintf("OMPI_COMM_WORLD_SIZE=%d", n),
		"OMPI_COMM_WORLD_LOCAL_RANK=0", "OMPI_COMM_WORLD_LOCAL_SIZE=1")
	return cmd
}

// task is the order to a daemon, in JSON and base64.
type task struct {
	Rank, Size int
	Words      []string
	Lost       bool // the rank's wrapper dies before it has said that it has begun, and the daemon lives on
}

// remoteRank is the command that starts rank i of n on another host.
func remoteRank(host string, i, n int, args []string) *exec.Cmd {
	data, _ := json.Marshal(task{i, n, rankWords(args), os.Getenv("STANDIN") == "loses a rank"})
	order := base64.RawURLEncoding.EncodeToString(data)
	return exec.Command(os.Getenv("OMPI_MCA_plm_rsh_agent"), host, "orted", order)
}

// orted is the daemon of the launcher. It runs one rank.
func orted(args []string) int {
	var todo task
	data, err := base64.RawURLEncoding.DecodeString(args[0])
	if err == nil {
		err = json.Unmarshal(data, &todo)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cmd := rank(todo.Rank, todo.Size, todo.Words)
	if todo.Lost {
		_ = exec.Command("sh", "-c", "kill -9 $$").Run()
		select {}
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode() & 0xff
}

// peer is a trainer that is connected to the trainers of all other hosts. Like a rank of an all-reduce it
// fails when one of them is gone.
func peer([]string) int {
	var hosts []string
	_ = json.Unmarshal([]byte(os.Getenv("SM_HOSTS")), &hosts)
	self := os.Getenv("SM_CURRENT_HOST")
	l, err := net.Listen("tcp", ":7000")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 9
	}
	failed := make(chan error, len(hosts))
	first := slices.Index(hosts, self)
	for _, host := range hosts[:first] {
		var conn net.Conn
		if err := eventually("a connection to "+host, func() bool {
			conn, err = net.Dial("tcp", host+":7000")
			return err == nil
		}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 9
		}
		go beat(conn, failed)
	}
	for range hosts[first+1:] {
		conn, err := l.Accept()
		if err != nil {
			return 9
		}
		go beat(conn, failed)
	}
	fmt.Println("training")
	fmt.Fprintln(os.Stderr, "RuntimeError:", <-failed)
	return 1
}

// beat writes to a connection every 100 ms. It reports a failure if it reads nothing for 1.5 s.
func beat(conn net.Conn, failed chan<- error) {
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			_, _ = conn.Write([]byte{0})
		}
	}()
	for buffer := make([]byte, 64); ; {
		_ = conn.SetReadDeadline(time.Now().Add(1500 * time.Millisecond))
		if _, err := conn.Read(buffer); err != nil {
			failed <- fmt.Errorf("Connection reset by peer: %w", err)
			return
		}
	}
}
