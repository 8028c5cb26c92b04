package remote

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRankAndRunTalk follows a rank from its registration to its end, and ranks that end in other ways.
func TestRankAndRunTalk(t *testing.T) {
	joined, raised := make(chan *RankConn, 1), make(chan string, 1)
	local, socket := newNetwork(t, 1).local(t, Handlers{
		Joined: func(r *RankConn) { joined <- r },
		Raised: func(r *RankConn, text string) { raised <- fmt.Sprint(r.Rank, " ", text) },
	})
	client, err := Register(socket, 3)
	if err != nil {
		t.Fatal(err)
	}
	r := <-joined
	if r.Rank != 3 || r.Pid != os.Getpid() {
		t.Errorf("rank %d, pid %d", r.Rank, r.Pid)
	}
	if _, ok := r.End(); ok || isClosed(r.Done()) || isClosed(client.Stopped()) || isClosed(client.Left()) {
		t.Error("the rank has ended, or was told to, before anything happened")
	}
	if err := client.Raised("ValueError: x"); err != nil {
		t.Error(err)
	}
	if got := <-raised; got != "3 ValueError: x" || isClosed(r.Done()) {
		t.Errorf("raised %q; ended: %v", got, isClosed(r.Done()))
	}
	r.Stop()
	r.Stop()
	<-client.Stopped()
	at := time.Now().Round(0)
	sent := RankEnd{Code: 143, Signal: 15, Text: "killed by SIGTERM:\x1b[31m\nx", At: at}
	if err := client.Ended(sent); err != nil {
		t.Error(err)
	}
	<-r.Done()
	end, ok := r.End()
	want := RankEnd{Code: 143, Signal: 15, Text: "killed by SIGTERM:\x1b[31m\nx", At: at}
	if diff := cmp.Diff(want, end); diff != "" || !ok {
		t.Errorf("%v: %s", ok, diff)
	}
	if isClosed(client.Left()) {
		t.Error("the rank may end before it was told to")
	}
	r.Leave()
	<-client.Left()

	second, err := Register(socket, 4)
	if err != nil {
		t.Fatal(err)
	}
	secondConn := <-joined
	third, err := Register(socket, 5)
	if err != nil {
		t.Fatal(err)
	}
	_ = third.conn.Close() // like a rank that was killed
	killed := <-joined
	<-killed.Done()
	if _, ok := killed.End(); ok {
		t.Error("a rank that was killed has reported its end")
	}
	local.Close()
	<-second.Left()
	<-secondConn.Done()
	if isClosed(second.Stopped()) {
		t.Error("the end of the run stops the trainer")
	}
	if _, err := Register(socket, 6); err == nil {
		t.Error("registered without a run")
	}
}

// TestEndArrivesAfterLeave: a rank reports how its trainer ends, also after it was told to leave.
func TestEndArrivesAfterLeave(t *testing.T) {
	joined := make(chan *RankConn, 1)
	_, socket := newNetwork(t, 1).local(t, Handlers{Joined: func(r *RankConn) { joined <- r }})
	client, err := Register(socket, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := <-joined
	r.Leave()
	r.Leave()
	<-client.Left()
	r.Stop()
	<-client.Stopped()
	if err := client.Ended(RankEnd{Code: 3}); err != nil {
		t.Error(err)
	}
	<-r.Done()
	if end, ok := r.End(); !ok || end.Code != 3 {
		t.Errorf("ok %t, %+v", ok, end)
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
