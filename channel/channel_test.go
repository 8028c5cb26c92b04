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

// patience is how long a test waits for what must happen; nothing that is well takes as long.
const patience = 20 * time.Second

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
	out     *os.File // where its output can be read
	waiting chan string
	done    chan error
}

var errStop = errors.New("stopped by SIGTERM")

// start streams into a pipe unless o has an output.
func start(t *testing.T, o channel.Options) *streaming {
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

func (s *streaming) err() error {
	s.t.Helper()
	select {
	case err := <-s.done:
		return err
	case <-time.After(patience):
		s.t.Fatal("the stream does not end")
		return nil
	}
}

// until waits for a word of what is waited for.
func (s *streaming) until(what string) {
	s.t.Helper()
	timeout := time.After(patience)
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

// run runs a program that nobody here wrote.
func run(t *testing.T, argv ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", argv, err, out)
	}
}

// payload is more than any pipe holds, and never the same at two places.
var payload = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	for n := 0; b.Len() < 3<<20+5; n++ {
		fmt.Fprintf(&b, "%d ", n)
	}
	return b.Bytes()
})

// cpp compiles a program once for a test.
func cpp(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "main.cpp")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "g++", "-O1", "-o", filepath.Join(dir, "main"), file)
	return filepath.Join(dir, "main")
}

// TestWriters: what others write into a FIFO comes out, epoch after epoch.
func TestWriters(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(data, payload(), 0o600); err != nil {
		t.Fatal(err)
	}
	ofstream := cpp(t, `#include <fstream>
int main(int, char** v) { std::ifstream in(v[1]); std::ofstream out(v[2]); out << in.rdbuf(); return !out; }`)
	for name, argv := range map[string][]string{
		"cat":      {"sh", "-c", `cat "$0" >"$1"`},
		"dd":       {"sh", "-c", `dd status=none bs=777 if="$0" of="$1"`},
		"python":   {"python3", "-c", "import sys; open(sys.argv[2], 'wb').write(open(sys.argv[1], 'rb').read())"},
		"ofstream": {ofstream},
	} {
		t.Run(name, func(t *testing.T) {
			prefix := filepath.Join(t.TempDir(), "train_0") // a channel's name may look like an epoch
			s := start(t, channel.Options{Prefix: prefix, First: 9, Epochs: 2})
			wrote := make(chan struct{})
			go func() {
				defer close(wrote)
				for _, epoch := range []string{"_9", "_10"} {
					run(t, append(argv, data, mkfifo(t, prefix+epoch))...)
				}
			}()
			if got := readAll(t, s.out); got != strings.Repeat(string(payload()), 2) {
				t.Errorf("%d bytes came out", len(got))
			}
			if err := s.err(); err != nil {
				t.Error(err)
			}
			<-wrote
		})
	}
}

// TestFalseEnd: neither a FIFO without a writer nor one whose writer has nothing to say yet is at its end.
func TestFalseEnd(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	path := mkfifo(t, prefix+"_0")
	s := start(t, channel.Options{Prefix: prefix, Epochs: 1})
	s.until("data in ")
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
	if err := s.err(); err != nil {
		t.Error(err)
	}
}

// TestEmptyEpoch: a writer that comes and goes without a word is the end of an epoch.
func TestEmptyEpoch(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	s := start(t, channel.Options{Prefix: prefix, Epochs: 1})
	s.until("the FIFO ")
	run(t, "sh", "-c", `: >"$0"`, mkfifo(t, prefix+"_0"))
	if err := s.err(); err != nil {
		t.Error(err)
	}
}

// points are where a stream can be when it is to end.
var points = map[string]func(t *testing.T, prefix string) *streaming{
	"waiting for the FIFO":   looking,
	"waiting for its writer": opened,
	"in a read":              reading,
	"in a read, converting":  readingToConvert,
	"in a write":             stuck,
	"in a write, converting": stuckConverted,
	"in a write to a socket": stuckSocket,
}

// TestCancel: at every point a stream can be ended at once, and says by what.
func TestCancel(t *testing.T) {
	for what, setup := range points {
		t.Run(what, func(t *testing.T) {
			s := setup(t, filepath.Join(t.TempDir(), "train"))
			s.cancel(errStop)
			if err := s.err(); !errors.Is(err, errStop) {
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
		s := start(t, channel.Options{Prefix: prefix, Output: out})
		s.until("a reader of ")
		s.cancel(errStop)
		if err := s.err(); !errors.Is(err, errStop) {
			t.Error(err)
		}
	})
}

// TestReaderGone: a reader that goes ends the stream, wherever it is, and that is no failure.
func TestReaderGone(t *testing.T) {
	for what, setup := range points {
		t.Run(what, func(t *testing.T) {
			s := setup(t, filepath.Join(t.TempDir(), "train"))
			s.out.Close()
			if err := s.err(); err != nil {
				t.Error(err)
			}
		})
	}
}

func looking(t *testing.T, prefix string) *streaming {
	t.Helper()
	s := start(t, channel.Options{Prefix: prefix})
	s.until("the FIFO ")
	return s
}

func opened(t *testing.T, prefix string) *streaming {
	t.Helper()
	mkfifo(t, prefix+"_0")
	s := start(t, channel.Options{Prefix: prefix})
	s.until("data in ")
	return s
}

func copyAll(r io.Reader, w io.Writer) error {
	_, err := io.Copy(w, r)
	return err
}

func reading(t *testing.T, prefix string) *streaming { t.Helper(); return silent(t, prefix, nil) }
func readingToConvert(t *testing.T, prefix string) *streaming {
	t.Helper()
	return silent(t, prefix, copyAll)
}
func stuck(t *testing.T, prefix string) *streaming { t.Helper(); return full(t, prefix, nil) }
func stuckConverted(t *testing.T, prefix string) *streaming {
	t.Helper()
	return full(t, prefix, copyAll)
}

// stuckSocket streams into a socket; to the reader its other end is as good as a pipe's.
func stuckSocket(t *testing.T, prefix string) *streaming {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fds[0]) })
	s := start(t, channel.Options{Prefix: prefix, Output: channel.Descriptor(fds[0])})
	s.out = os.NewFile(uintptr(fds[1]), "socket")
	t.Cleanup(func() { s.out.Close() })
	fill(t, mkfifo(t, prefix+"_0"))
	return s
}

// silent is a stream in the middle of an epoch, whose writer says no more.
func silent(t *testing.T, prefix string, convert func(io.Reader, io.Writer) error) *streaming {
	t.Helper()
	path := mkfifo(t, prefix+"_0")
	s := start(t, channel.Options{Prefix: prefix, Convert: convert})
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

// full is a stream whose reader takes nothing, so that its writer cannot write any more either.
func full(t *testing.T, prefix string, convert func(io.Reader, io.Writer) error) *streaming {
	t.Helper()
	s := start(t, channel.Options{Prefix: prefix, Convert: convert})
	fill(t, mkfifo(t, prefix+"_0"))
	return s
}

// fill writes into a FIFO until nothing takes any more.
func fill(t *testing.T, path string) {
	t.Helper()
	fd, err := syscall.Open(path, syscall.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(patience)
	for refused := 0; refused < 100; { // pipes of 1 MiB each: what is full for a while stays so
		if _, err := syscall.Write(fd, make([]byte, 1<<16)); err == nil {
			refused = 0
		} else {
			refused++
			<-time.After(time.Millisecond)
		}
		if time.Now().After(end) {
			t.Fatal("something reads")
		}
	}
}

// TestUnread: a reader that goes before an epoch has begun has not had it; the next one gets it.
func TestUnread(t *testing.T) {
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
			s := start(t, channel.Options{Prefix: prefix, Epochs: 2, Output: out})
			early := open(t, fifo)
			s.until(what)
			early.Close()
			s.until("a reader of ")
			var writers sync.WaitGroup
			for _, epoch := range []string{"_0", "_1"} {
				_ = syscall.Mkfifo(prefix+epoch, 0o600)
				writers.Go(func() { run(t, "sh", "-c", `echo "$0" >"$1"`, epoch, prefix+epoch) })
				r := open(t, fifo)
				if got := readAll(t, r); got != epoch+"\n" {
					t.Errorf("%q, want epoch %s", got, epoch)
				}
				r.Close()
			}
			writers.Wait()
			if err := s.err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDeadline: a FIFO that does not come, or nobody fills, is an error that says which.
func TestDeadline(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	for _, want := range []string{prefix + "_0 did not appear within 30ms (--fifo-timeout)", prefix + "_0 got no data within 30ms (--fifo-timeout)"} {
		err := start(t, channel.Options{Prefix: prefix, Timeout: 30 * time.Millisecond}).err()
		if late, ok := errors.AsType[*channel.UnavailableError](err); !ok || late.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		_ = syscall.Mkfifo(prefix+"_0", 0o600)
	}
}

// TestWithdrawn: nobody waits without end for an epoch after a failure, neither who comes then nor who is there.
func TestWithdrawn(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	fifo := mkfifo(t, prefix+"-for-trainer")
	out, err := channel.Path(fifo)
	if err != nil {
		t.Fatal(err)
	}
	mkfifo(t, prefix+"_0")
	broken := errors.New("broken")
	fail := make(chan struct{})
	s := start(t, channel.Options{Prefix: prefix, Output: out, Convert: func(io.Reader, io.Writer) error { <-fail; return broken }})
	r := open(t, fifo)
	defer r.Close()
	run(t, "sh", "-c", `: >"$0"`, prefix+"_0")
	next := make(chan struct{})
	go func() {
		defer close(next)
		if f, err := os.Open(fifo); err == nil {
			f.Close()
		}
	}()
	close(fail)
	if err := s.err(); !errors.Is(err, broken) {
		t.Error(err)
	}
	select {
	case <-next: // it may have come too late to find anything
	case <-time.After(patience):
		t.Error("it waits in opening the next epoch")
	}
	if _, err := os.Stat(fifo); !os.IsNotExist(err) {
		t.Errorf("what is there after the failure: %v", err)
	}
}

// TestNoFIFO: what is no FIFO is not read.
func TestNoFIFO(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	if err := os.WriteFile(prefix+"_0", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := start(t, channel.Options{Prefix: prefix}).err(); err == nil || !strings.Contains(err.Error(), "train_0 is not a FIFO") {
		t.Error(err)
	}
}
