package channel_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"entrain/channel"
)

// silentStream starts a stream whose FIFO has given one byte and then gives no more. It returns what the
// stream tells of that.
func silentStream(t *testing.T, o channel.Options) (*streaming, chan channel.Stall, *os.File) {
	t.Helper()
	o.Prefix = filepath.Join(t.TempDir(), "train")
	path := mkfifo(t, o.Prefix+"_0")
	stalls := make(chan channel.Stall, 1000)
	o.Stalled = func(s channel.Stall) { stalls <- s }
	s := startStream(t, o)
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	if _, err := w.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	return s, stalls, w
}

// expectStall returns the first stall that is wanted.
func (s *streaming) expectStall(stalls chan channel.Stall, wanted func(channel.Stall) bool) channel.Stall {
	s.t.Helper()
	timeout := time.After(testTimeout)
	for {
		select {
		case stall := <-stalls:
			if wanted(stall) {
				return stall
			}
		case err := <-s.done:
			s.t.Fatalf("it ended with %v, and did not stand still", err)
		case <-timeout:
			s.t.Fatal("it does not stand still")
		}
	}
}

// TestStreamTellsThatItStandsStill checks each mark, that the last one repeats, and that data starts anew.
func TestStreamTellsThatItStandsStill(t *testing.T) {
	marks := []time.Duration{5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond}
	s, stalls, w := silentStream(t, channel.Options{Epochs: 1, Stalls: marks})
	for n, mark := range append(marks, 40*time.Millisecond) {
		stall := s.expectStall(stalls, func(channel.Stall) bool { return true })
		if stall.Elapsed < mark || stall.Bytes != 1 || stall.Reader || !strings.HasSuffix(stall.Path, "train_0") {
			t.Errorf("%d: %+v, want at least %s and 1 byte", n, stall, mark)
		}
	}
	if _, err := w.WriteString("yz"); err != nil {
		t.Fatal(err)
	}
	s.expectStall(stalls, func(stall channel.Stall) bool { return stall.Bytes == 3 })
	w.Close()
	if err := s.result(); err != nil {
		t.Error(err)
	}
	if got := readAll(t, s.out); got != "xyz" {
		t.Errorf("%q", got)
	}
}

// TestReaderThatTakesNothingIsTold checks the other side: the FIFO has data that nobody takes.
func TestReaderThatTakesNothingIsTold(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	stalls := make(chan channel.Stall, 1000)
	s := startStream(t, channel.Options{
		Prefix: prefix, Stalls: []time.Duration{time.Millisecond}, Stalled: func(s channel.Stall) { stalls <- s },
	})
	fillUntilFull(t, mkfifo(t, prefix+"_0"))
	s.expectStall(stalls, func(stall channel.Stall) bool { return stall.Reader })
	s.cancel(errStop)
	if err := s.result(); !errors.Is(err, errStop) {
		t.Error(err)
	}
}

// TestStallTimeoutEndsStream checks the error, with and without a conversion.
func TestStallTimeoutEndsStream(t *testing.T) {
	for what, o := range map[string]channel.Options{"spliced": {}, "converted": {Convert: copyAll}} {
		t.Run(what, func(t *testing.T) {
			o.StallTimeout = 20 * time.Millisecond
			s, _, _ := silentStream(t, o)
			err := s.result()
			const want = "train_0 got no more data after 1 bytes within 20ms (--stream-timeout)"
			late, ok := errors.AsType[*channel.UnavailableError](err)
			if !ok || !strings.HasSuffix(late.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

// TestEachEpochIsReported checks an epoch that came whole, and one in which the stream was stopped.
func TestEachEpochIsReported(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	first, second := mkfifo(t, prefix+"_3"), mkfifo(t, prefix+"_4")
	epochs := make(chan channel.Epoch, 10)
	s := startStream(t, channel.Options{Prefix: prefix, First: 3, Ended: func(e channel.Epoch) { epochs <- e }})
	if err := os.WriteFile(first, []byte("abc"), 0); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(second, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.WriteString("de"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(s.out, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	s.cancel(errStop)
	if err := s.result(); !errors.Is(err, errStop) {
		t.Error(err)
	}
	var got []channel.Epoch
	for range 2 {
		e := <-epochs
		if e.Elapsed <= 0 {
			t.Errorf("no time: %+v", e)
		}
		e.Elapsed = 0
		got = append(got, e)
	}
	want := []channel.Epoch{
		{Path: first, Number: 3, Bytes: 3, Whole: true}, {Path: second, Number: 4, Bytes: 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestOneReaderOfChannel checks that a second stream of a channel is refused, whatever its epoch, until the
// first one has ended, and that streams of other channels are not.
func TestOneReaderOfChannel(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	s := startStream(t, channel.Options{Prefix: prefix})
	s.expectWaiting("the FIFO ")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Dir(prefix), link); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{prefix, filepath.Join(link, "train")} {
		err := startStream(t, channel.Options{Prefix: other, First: 7}).result()
		if inUse, ok := errors.AsType[*channel.InUseError](err); !ok || inUse.Path != other {
			t.Errorf("%v, want an InUseError", err)
		}
	}
	free := startStream(t, channel.Options{Prefix: prefix + "_0"})
	free.expectWaiting("the FIFO ")
	s.cancel(errStop)
	if err := s.result(); !errors.Is(err, errStop) {
		t.Error(err)
	}
	startStream(t, channel.Options{Prefix: prefix}).expectWaiting("the FIFO ")
}

// TestOneReaderOfFIFO checks the lock that also reaches the processes of other containers.
func TestOneReaderOfFIFO(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	path := mkfifo(t, prefix+"_0")
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Flock(fd, syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	err = startStream(t, channel.Options{Prefix: prefix}).result()
	if _, ok := errors.AsType[*channel.InUseError](err); !ok || !strings.Contains(err.Error(), path) {
		t.Errorf("%v, want an InUseError for %s", err, path)
	}
}
