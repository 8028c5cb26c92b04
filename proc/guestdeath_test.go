package proc

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// guestHost is a variable that makes the test binary hold a guest: see holdGuest.
const guestHost = "ENTRAIN_TEST_GUEST_HOST"

// holdGuest starts a guest, which prints its number, and waits for ever.
func holdGuest() {
	null, err := Null()
	if err != nil {
		os.Exit(1)
	}
	cmd := Cmd{Argv: []string{"sh", "-c", "echo $$; exec sleep 600"}, Env: os.Environ(), Dir: "/"}
	if _, err := new(Guests).Start(cmd, [3]uintptr{null.Fd(), 1, 2}, func(int) {}); err != nil {
		os.Exit(1)
	}
	select {}
}

// TestGuestEndsWithItsHost, also after SIGKILL: sshd would listen on.
func TestGuestEndsWithItsHost(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), guestHost+"=1")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	pid, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	gone := func() bool {
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(pid) + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	}
	for deadline := time.Now().Add(testTimeout); !gone(); {
		if time.Now().After(deadline) {
			t.Fatalf("the guest %s lives on", pid)
		}
		<-time.After(5 * time.Millisecond)
	}
}
