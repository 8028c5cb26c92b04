package channel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"entrain/channel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTimeout is the time after which a test gives up. A program without a fault needs much less.
const testTimeout = 20 * time.Second

func mkfifo(t *testing.T, path string) string {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// streaming is a Stream while it runs.
type streaming struct {
	t       *testing.T
	cancel  context.CancelCauseFunc
	out     *os.File    // where its output can be read
	waiting chan string // what it waits for
	done    chan error
}

var errStop = errors.New("stopped by SIGTERM")

// startStream starts a Stream, into a pipe unless o has an output.
func startStream(t *testing.T, o channel.Options) *streaming {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &streaming{t: t, cancel: cancel, waiting: make(chan string, 100), done: make(chan error, 1)}
	t.Cleanup(func() { cancel(nil) })
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.Output == nil {
		r, out, err := channel.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		o.Output, s.out = out, os.NewFile(uintptr(r), "pipe")
		t.Cleanup(func() { s.out.Close() })
	}
	o.Waiting = func(ctx context.Context, what string) {
		s.waiting <- what
		<-ctx.Done()
	}
	go func() { s.done <- channel.Stream(ctx, o) }()
	return s
}

// result waits for the end of the stream.
func (s *streaming) result() error {
	s.t.Helper()
	select {
	case err := <-s.done:
		return err
	case <-time.After(testTimeout):
		s.t.Fatal("the stream does not end")
		return nil
	}
}

// expectWaiting returns when the stream waits for something whose name contains what.
func (s *streaming) expectWaiting(what string) {
	s.t.Helper()
	timeout := time.After(testTimeout)
	for {
		select {
		case got := <-s.waiting:
			if strings.Contains(got, what) {
				return
			}
		case err := <-s.done:
			s.t.Fatalf("it ended with %v instead of waiting: %s", err, what)
		case <-timeout:
			s.t.Fatalf("it does not wait: %s", what)
		}
	}
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// runProgram runs a program that is not part of this project.
func runProgram(t *testing.T, argv ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", argv, err, out)
	}
}

// payload is larger than any pipe, and no two places in it are the same.
var payload = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	for n := 0; b.Len() < 3<<20+5; n++ {
		fmt.Fprintf(&b, "%d ", n)
	}
	return b.Bytes()
})

// compileCPP compiles a program for a test, and returns its path.
func compileCPP(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "main.cpp")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	runProgram(t, "g++", "-O1", "-o", filepath.Join(dir, "main"), file)
	return filepath.Join(dir, "main")
}

// TestStreamPassesOnWhatOthersWrite checks two epochs of each of several programs that write into a FIFO.
func TestStreamPassesOnWhatOthersWrite(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(data, payload(), 0o600); err != nil {
		t.Fatal(err)
	}
	ofstream := compileCPP(t, `#include <fstream>
int main(int, char** v) { std::ifstream in(v[1]); std::ofstream out(v[2]); out << in.rdbuf(); return !out; }`)
	for name, argv := range map[string][]string{
		"cat":      {"sh", "-c", `cat "$0" >"$1"`},
		"dd":       {"sh", "-c", `dd status=none bs=777 if="$0" of="$1"`},
		"python":   {"python3", "-c", "import sys; open(sys.argv[2], 'wb').write(open(sys.argv[1], 'rb').read())"},
		"ofstream": {ofstream},
	} {
		t.Run(name, func(t *testing.T) {
			prefix := filepath.Join(t.TempDir(), "train_0") // a channel's name may look like an epoch
			s := startStream(t, channel.Options{Prefix: prefix, First: 9, Epochs: 2})
			wrote := make(chan struct{})
			go func() {
				defer close(wrote)
				for _, epoch := range []string{"_9", "_10"} {
					runProgram(t, append(argv, data, mkfifo(t, prefix+epoch))...)
				}
			}()
			if got := readAll(t, s.out); got != strings.Repeat(string(payload()), 2) {
				t.Errorf("%d bytes came out", len(got))
			}
			if err := s.result(); err != nil {
				t.Error(err)
			}
			<-wrote
		})
	}
}

// TestEpochEndsOnlyWithItsWriter checks that an epoch does not end while its FIFO has no writer yet, or
// while its writer pauses.
func TestEpochEndsOnlyWithItsWriter(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	path := mkfifo(t, prefix+"_0")
	s := startStream(t, channel.Options{Prefix: prefix, Epochs: 1})
	s.expectWaiting("data in ")
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two"} {
		if _, err := w.WriteString(text); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 3)
		if _, err := io.ReadFull(s.out, got); err != nil || string(got) != text {
			t.Fatalf("%q, %v", got, err)
		}
	}
	w.Close()
	if err := s.result(); err != nil {
		t.Error(err)
	}
}

// TestEpochMayBeEmpty checks that an epoch ends when its writer comes and goes without writing.
func TestEpochMayBeEmpty(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	s := startStream(t, channel.Options{Prefix: prefix, Epochs: 1})
	s.expectWaiting("the FIFO ")
	runProgram(t, "sh", "-c", `: >"$0"`, mkfifo(t, prefix+"_0"))
	if err := s.result(); err != nil {
		t.Error(err)
	}
}

// streamStates are the states in which something can end a stream. Each function starts a stream and
// returns when it is in its state.
var streamStates = map[string]func(t *testing.T, prefix string) *streaming{
	"waiting for the FIFO":   waitingForFIFO,
	"waiting for its writer": waitingForWriter,
	"in a read":              inRead,
	"in a read, converting":  inReadConverting,
	"in a write":             inWrite,
	"in a write, converting": inWriteConverting,
	"in a write to a socket": inWriteToSocket,
}

// TestContextEndsStreamInEveryState checks that Stream returns the cause of its context.
func TestContextEndsStreamInEveryState(t *testing.T) {
	for what, setup := range streamStates {
		t.Run(what, func(t *testing.T) {
			s := setup(t, filepath.Join(t.TempDir(), "train"))
			s.cancel(errStop)
			if err := s.result(); !errors.Is(err, errStop) {
				t.Error(err)
			}
		})
	}
	t.Run("waiting for a reader", func(t *testing.T) {
		prefix := filepath.Join(t.TempDir(), "train")
		out, err := channel.Path(mkfifo(t, prefix+"-out"))
		if err != nil {
			t.Fatal(err)
		}
		s := startStream(t, channel.Options{Prefix: prefix, Output: out})
		s.expectWaiting("a reader of ")
		s.cancel(errStop)
		if err := s.result(); !errors.Is(err, errStop) {
			t.Error(err)
		}
	})
}

// TestReaderThatGoesEndsStreamInEveryState also checks that this is no failure.
func TestReaderThatGoesEndsStreamInEveryState(t *testing.T) {
	for what, setup := range streamStates {
		t.Run(what, func(t *testing.T) {
			s := setup(t, filepath.Join(t.TempDir(), "train"))
			s.out.Close()
			if err := s.result(); err != nil {
				t.Error(err)
			}
		})
	}
}

func waitingForFIFO(t *testing.T, prefix string) *streaming {
	t.Helper()
	s := startStream(t, channel.Options{Prefix: prefix})
	s.expectWaiting("the FIFO ")
	return s
}

func waitingForWriter(t *testing.T, prefix string) *streaming {
	t.Helper()
	mkfifo(t, prefix+"_0")
	s := startStream(t, channel.Options{Prefix: prefix})
	s.expectWaiting("data in ")
	return s
}

func copyAll(r io.Reader, w io.Writer) error {
	_, err := io.Copy(w, r)
	return err
}

func inRead(t *testing.T, prefix string) *streaming {
	t.Helper()
	return withSilentWriter(t, prefix, nil)
}

func inReadConverting(t *testing.T, prefix string) *streaming {
	t.Helper()
	return withSilentWriter(t, prefix, copyAll)
}

func inWrite(t *testing.T, prefix string) *streaming {
	t.Helper()
	return withIdleReader(t, prefix, nil)
}

func inWriteConverting(t *testing.T, prefix string) *streaming {
	t.Helper()
	return withIdleReader(t, prefix, copyAll)
}

// inWriteToSocket streams into a socket instead of a pipe.
func inWriteToSocket(t *testing.T, prefix string) *streaming {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fds[0]) })
	s := startStream(t, channel.Options{Prefix: prefix, Output: channel.Descriptor(fds[0])})
	s.out = os.NewFile(uintptr(fds[1]), "socket")
	t.Cleanup(func() { s.out.Close() })
	fillUntilFull(t, mkfifo(t, prefix+"_0"))
	return s
}

// withSilentWriter starts a stream whose writer has written one byte and then pauses.
func withSilentWriter(t *testing.T, prefix string, convert func(io.Reader, io.Writer) error) *streaming {
	t.Helper()
	path := mkfifo(t, prefix+"_0")
	s := startStream(t, channel.Options{Prefix: prefix, Convert: convert})
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	if _, err := w.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return s
}

// withIdleReader starts a stream whose reader reads nothing, and fills the output and the FIFO.
func withIdleReader(t *testing.T, prefix string, convert func(io.Reader, io.Writer) error) *streaming {
	t.Helper()
	s := startStream(t, channel.Options{Prefix: prefix, Convert: convert})
	fillUntilFull(t, mkfifo(t, prefix+"_0"))
	return s
}

// fillUntilFull writes into a FIFO until neither it nor the output takes more.
func fillUntilFull(t *testing.T, path string) {
	t.Helper()
	fd, err := syscall.Open(path, syscall.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(testTimeout)
	for refused := 0; refused < 100; { // if both are full for 100 ms, they stay full
		if _, err := syscall.Write(fd, make([]byte, 1<<16)); err == nil {
			refused = 0
		} else {
			refused++
			<-time.After(time.Millisecond)
		}
		if time.Now().After(end) {
			t.Fatal("the FIFO does not fill: something reads")
		}
	}
}

// TestEpochIsNotLostToReaderThatGoesBeforeIt checks that the next reader gets the epoch.
func TestEpochIsNotLostToReaderThatGoesBeforeIt(t *testing.T) {
	for _, what := range []string{"the FIFO ", "data in "} {
		t.Run(what, func(t *testing.T) {
			prefix := filepath.Join(t.TempDir(), "train")
			fifo := mkfifo(t, prefix+"-for-trainer")
			out, err := channel.Path(fifo)
			if err != nil {
				t.Fatal(err)
			}
			if what == "data in " {
				mkfifo(t, prefix+"_0")
			}
			s := startStream(t, channel.Options{Prefix: prefix, Epochs: 2, Output: out})
			early := openForReading(t, fifo)
			s.expectWaiting(what)
			early.Close()
			s.expectWaiting("a reader of ")
			var writers sync.WaitGroup
			for _, epoch := range []string{"_0", "_1"} {
				_ = syscall.Mkfifo(prefix+epoch, 0o600)
				writers.Go(func() { runProgram(t, "sh", "-c", `echo "$0" >"$1"`, epoch, prefix+epoch) })
				r := openForReading(t, fifo)
				if got := readAll(t, r); got != epoch+"\n" {
					t.Errorf("%q, want epoch %s", got, epoch)
				}
				r.Close()
			}
			writers.Wait()
			if err := s.result(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFIFOThatIsLateIsNamed checks the errors for a FIFO that does not appear, and for one that gets no data.
func TestFIFOThatIsLateIsNamed(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	for _, what := range []string{"did not appear", "got no data"} {
		want := prefix + "_0 " + what + " within 30ms (--fifo-timeout)"
		err := startStream(t, channel.Options{Prefix: prefix, Timeout: 30 * time.Millisecond}).result()
		if late, ok := errors.AsType[*channel.UnavailableError](err); !ok || late.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		_ = syscall.Mkfifo(prefix+"_0", 0o600)
	}
}

// TestNoReaderWaitsForEverAfterFailure checks that the FIFO goes after a failure, so that no reader comes
// later, and that a reader that waits for the next epoch already goes on.
func TestNoReaderWaitsForEverAfterFailure(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	fifo := mkfifo(t, prefix+"-for-trainer")
	out, err := channel.Path(fifo)
	if err != nil {
		t.Fatal(err)
	}
	mkfifo(t, prefix+"_0")
	broken := errors.New("broken")
	fail := make(chan struct{})
	convert := func(io.Reader, io.Writer) error { <-fail; return broken }
	s := startStream(t, channel.Options{Prefix: prefix, Output: out, Convert: convert})
	r := openForReading(t, fifo)
	defer r.Close()
	runProgram(t, "sh", "-c", `: >"$0"`, prefix+"_0")
	next := make(chan struct{})
	go func() {
		defer close(next)
		if f, err := os.Open(fifo); err == nil {
			f.Close()
		}
	}()
	close(fail)
	if err := s.result(); !errors.Is(err, broken) {
		t.Error(err)
	}
	select {
	case <-next: // its open may also have failed, if the FIFO was gone already
	case <-time.After(testTimeout):
		t.Error("the reader of the next epoch still waits")
	}
	if _, err := os.Stat(fifo); !os.IsNotExist(err) {
		t.Errorf("the FIFO after the failure: %v", err)
	}
}

// TestFileThatIsNoFIFOIsRefused checks the error for an ordinary file in place of a FIFO.
func TestFileThatIsNoFIFOIsRefused(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	if err := os.WriteFile(prefix+"_0", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := startStream(t, channel.Options{Prefix: prefix}).result()
	if err == nil || !strings.Contains(err.Error(), "train_0 is not a FIFO") {
		t.Error(err)
	}
}
