package remote

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRank(t *testing.T) {
	joined := make(chan *RankConn, 1)
	local, socket := newNetwork(t, 1).local(t, Handlers{Joined: func(r *RankConn) { joined <- r }})
	client, err := Register(socket, 3)
	if err != nil {
		t.Fatal(err)
	}
	r := <-joined
	if r.Rank != 3 || r.Pid != os.Getpid() {
		t.Errorf("rank %d, pid %d", r.Rank, r.Pid)
	}
	if _, ok := r.End(); ok || isClosed(r.Done()) || isClosed(client.Stopped()) || isClosed(client.Left()) {
		t.Error("it has ended, or was told to, before anything happened")
	}
	r.Stop()
	r.Stop()
	<-client.Stopped()
	at := time.Now().Round(0)
	if err := client.Ended(RankEnd{Code: 143, Signal: 15, Text: "killed by SIGTERM:\x1b[31m\nx", At: at}); err != nil {
		t.Error(err)
	}
	<-r.Done()
	end, ok := r.End()
	if diff := cmp.Diff(RankEnd{Code: 143, Signal: 15, Text: "killed by SIGTERM: [31m x", At: at}, end); diff != "" || !ok {
		t.Errorf("%v: %s", ok, diff)
	}
	if isClosed(client.Left()) {
		t.Error("it left before it was told to")
	}
	r.Leave()
	<-client.Left()

	second, err := Register(socket, 4)
	if err != nil {
		t.Fatal(err)
	}
	lonely := <-joined
	third, err := Register(socket, 5)
	if err != nil {
		t.Fatal(err)
	}
	_ = third.conn.Close() // as a rank that was killed
	broken := <-joined
	<-broken.Done()
	if _, ok := broken.End(); ok {
		t.Error("a rank that was killed told its end")
	}
	local.Close()
	<-second.Left()
	<-lonely.Done()
	if isClosed(second.Stopped()) {
		t.Error("the end of the run stops a trainer")
	}
	if _, err := Register(socket, 6); err == nil {
		t.Error("registered with nobody")
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
