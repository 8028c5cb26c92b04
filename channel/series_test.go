package channel_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"entrain/channel"
)

// TestSeriesGivesEachEpochItsFIFO checks readers of Pipe mode: the next FIFO is there before the last one is
// closed, a reader that goes before its epoch has begun loses nothing, one may close early, and no FIFO is
// left.
func TestSeriesGivesEachEpochItsFIFO(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := os.WriteFile(out+"_7", nil, 0o600); err != nil { // no FIFO of ours
		t.Fatal(err)
	}
	s := startStream(t, channel.Options{Prefix: in, First: 5, Epochs: 3, Output: channel.Prefix(out)})
	openForReading(t, out+"_0").Close() // epoch 5 has not begun: the next FIFO has it
	var open []*os.File
	for n := range 3 {
		r := openForReading(t, fmt.Sprintf("%s_%d", out, n+1))
		open = append(open, r)
		path := mkfifo(t, fmt.Sprintf("%s_%d", in, 5+n))
		if n == 1 { // this reader closes its FIFO early
			go func() { _ = os.WriteFile(path, payload(), 0) }()
			if _, err := r.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			r.Close()
			continue
		}
		want := fmt.Sprintf("epoch %d", n)
		if err := os.WriteFile(path, []byte(want), 0); err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, r := range open {
		r.Close()
	}
	if err := s.result(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(out + "_*"); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// TestSeriesReplacesNoFile checks that a file in place of a FIFO stays, and that a stop removes the FIFOs.
func TestSeriesReplacesNoFile(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	if err := os.WriteFile(out+"_0", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(dir, "in")
	err := startStream(t, channel.Options{Prefix: in, Output: channel.Prefix(out)}).result()
	if _, ok := errors.AsType[*channel.WriteError](err); !ok {
		t.Errorf("%v, want a WriteError", err)
	}
	if _, err := os.Stat(out + "_0"); err != nil {
		t.Error(err)
	}
	s := startStream(t, channel.Options{Prefix: in, Output: channel.Prefix(out + "put")})
	s.expectWaiting("a reader of ")
	s.cancel(errStop)
	if err := s.result(); !errors.Is(err, errStop) {
		t.Error(err)
	}
	if _, err := os.Stat(out + "put_0"); !os.IsNotExist(err) {
		t.Errorf("left behind: %v", err)
	}
}
