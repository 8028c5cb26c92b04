package channel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"entrain/channel"
)

// startPlatform plays the platform until the test ends. The channel ended gets its error.
func startPlatform(t *testing.T, p channel.Platform) (ended chan error, stop context.CancelCauseFunc) {
	t.Helper()
	ctx, stop := context.WithCancelCause(context.Background())
	ended = make(chan error, 1)
	go func() { ended <- channel.Serve(ctx, p) }()
	t.Cleanup(func() { stop(nil) })
	return ended, stop
}

// platformEnd waits for the end of the platform.
func platformEnd(t *testing.T, ended chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(testTimeout):
		t.Fatal("the platform does not end")
		return nil
	}
}

// makeObjects makes a directory with files, and returns the stream of them. A walk through the directory
// finds the files in another order than the stream has them.
func makeObjects(t *testing.T) (dir, stream string) {
	t.Helper()
	dir = t.TempDir()
	for _, key := range []string{"a/x", "a-b/x", "c"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, key)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, key), []byte(string(payload())+key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, string(payload()) + "a-b/x" + string(payload()) + "a/x" + string(payload()) + "c"
}

// fillFrom fills epochs with the files of a directory.
func fillFrom(t *testing.T, dir string) func(int, io.Writer) error {
	t.Helper()
	rows, err := channel.Objects(dir, false, func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	source := channel.Source{Rows: rows}
	return source.Fill
}

// TestOtherReadersGetEveryEpoch checks that readers outside this project get three epochs, even if a FIFO
// is late.
func TestOtherReadersGetEveryEpoch(t *testing.T) {
	dir, stream := makeObjects(t)
	ifstream := compileCPP(t, `#include <fstream>
#include <iostream>
#include <unistd.h>
int main(int, char** v) {
  for (int n = 0; n < 3; n++) {
    std::ifstream in;
    while (in.open(std::string(v[1]) + "_" + std::to_string(n), std::ios::binary), !in) usleep(1000);
    std::cout << in.rdbuf();
  }
  return !std::cout;
}`)
	const loop = `for n in 0 1 2; do until [ -p "$0_$n" ]; do sleep 0.01; done; `
	for name, argv := range map[string][]string{
		"cat": {"sh", "-c", loop + `cat "$0_$n"; done`},
		"dd":  {"sh", "-c", loop + `dd status=none bs=777 if="$0_$n"; done`},
		"python": {"python3", "-c", `import os, sys, time
for n in range(3):
    path = f"{sys.argv[1]}_{n}"
    while not os.path.exists(path):
        time.sleep(0.001)
    with open(path, "rb") as epoch:
        sys.stdout.buffer.write(epoch.read())`},
		"ifstream": {ifstream},
	} {
		t.Run(name, func(t *testing.T) {
			prefix := filepath.Join(t.TempDir(), "train")
			ended, _ := startPlatform(t, channel.Platform{
				Prefix: prefix, Epochs: 3, Fill: fillFrom(t, dir),
				Late: 50 * time.Millisecond, Seed: 1,
			})
			out, err := exec.CommandContext(t.Context(), argv[0], append(argv[1:], prefix)...).Output()
			if err != nil || string(out) != strings.Repeat(stream, 3) {
				t.Errorf("%v, %d bytes", err, len(out))
			}
			if err := platformEnd(t, ended); err != nil {
				t.Error(err)
			}
			if left, _ := filepath.Glob(prefix + "*"); left != nil {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestStreamReadsWhatPlatformMakes also checks that the next epoch begins after a reader has closed the
// FIFO early.
func TestStreamReadsWhatPlatformMakes(t *testing.T) {
	dir, stream := makeObjects(t)
	prefix := filepath.Join(t.TempDir(), "train")
	ended, _ := startPlatform(t, channel.Platform{Prefix: prefix, Epochs: 3, Fill: fillFrom(t, dir)})
	fifo := mkfifo(t, prefix+"-for-trainer")
	out, err := channel.Path(fifo)
	if err != nil {
		t.Fatal(err)
	}
	s := startStream(t, channel.Options{Prefix: prefix, Epochs: 3, Output: out})
	for epoch, want := range []string{stream, stream[:10], stream} {
		r, err := os.Open(fifo)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(io.LimitReader(r, int64(len(want)))); err != nil || string(got) != want {
			t.Errorf("epoch %d: %d bytes, %v", epoch, len(got), err)
		}
		if epoch == 0 {
			if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("after the end of epoch 0: %d bytes, %v", n, err)
			}
		}
		r.Close()
	}
	if err := errors.Join(s.result(), platformEnd(t, ended)); err != nil {
		t.Error(err)
	}
}

// TestNextFIFOComesBeforeReaderCloses checks that a reader can open and read the next FIFO before it closes
// the one before, as the platform's extension for TensorFlow does to repeat a data set; that there is no FIFO
// after the last epoch; and that no FIFO is left at the end.
func TestNextFIFOComesBeforeReaderCloses(t *testing.T) {
	dir, stream := makeObjects(t)
	prefix := filepath.Join(t.TempDir(), "train")
	ended, _ := startPlatform(t, channel.Platform{Prefix: prefix, Epochs: 3, Fill: fillFrom(t, dir)})
	var open []*os.File
	for epoch := range 3 {
		r := openForReading(t, fmt.Sprintf("%s_%d", prefix, epoch))
		open = append(open, r)
		if epoch == 1 {
			continue // this one is read while the next one is read already
		}
		if got := readAll(t, r); got != stream {
			t.Errorf("epoch %d: %d bytes", epoch, len(got))
		}
	}
	if got := readAll(t, open[1]); got != stream {
		t.Errorf("epoch 1: %d bytes", len(got))
	}
	if _, err := os.Stat(prefix + "_3"); !os.IsNotExist(err) {
		t.Errorf("a FIFO after the last epoch: %v", err)
	}
	for _, r := range open {
		r.Close()
	}
	if err := platformEnd(t, ended); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(prefix + "*"); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// TestReaderMayCloseEarly checks that the next FIFO comes all the same, and that a stop ends the platform.
func TestReaderMayCloseEarly(t *testing.T) {
	dir, _ := makeObjects(t)
	prefix := filepath.Join(t.TempDir(), "train")
	ended, stop := startPlatform(t, channel.Platform{Prefix: prefix, Fill: fillFrom(t, dir)})
	for epoch := range 3 {
		openForReading(t, fmt.Sprintf("%s_%d", prefix, epoch)).Close()
	}
	stop(errStop)
	if err := platformEnd(t, ended); !errors.Is(err, errStop) {
		t.Error(err)
	}
	if left, _ := filepath.Glob(prefix + "*"); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// TestProbeIsNoReader checks that a program has not read a FIFO if it opens and closes it before it has a
// writer.
func TestProbeIsNoReader(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	filling := make(chan struct{})
	fill := func(int, io.Writer) error { <-filling; return nil }
	ended, _ := startPlatform(t, channel.Platform{Prefix: prefix, Epochs: 1, Fill: fill})
	probe := func() error {
		fd, err := syscall.Open(prefix+"_0", syscall.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			err = syscall.Close(fd)
		}
		return err
	}
	for stop := time.Now().Add(testTimeout); probe() != nil && time.Now().Before(stop); {
		<-time.After(time.Millisecond)
	}
	r := openForReading(t, prefix+"_0")
	close(filling)
	if got := readAll(t, r); got != "" {
		t.Errorf("%q", got)
	}
	select {
	case err := <-ended:
		t.Fatalf("the platform ended before the reader closed the FIFO: %v", err)
	case <-time.After(50 * time.Millisecond): // enough to notice the fault
	}
	r.Close()
	if err := platformEnd(t, ended); err != nil {
		t.Error(err)
	}
}

// openForReading waits until a FIFO exists, and opens it.
func openForReading(t *testing.T, path string) *os.File {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for stop := time.Now().Add(testTimeout); time.Now().Before(stop); <-tick.C {
		if r, err := os.Open(path); err == nil {
			return r
		}
	}
	t.Fatalf("%s does not exist", path)
	return nil
}

// TestRestartReplacesOldFIFOs checks that the FIFOs of a run that was killed are replaced, and that no
// other file is.
func TestRestartReplacesOldFIFOs(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	old := mkfifo(t, prefix+"_0")
	if err := os.Chmod(old, 0); err != nil { // the new FIFO has another mode
		t.Fatal(err)
	}
	if err := os.WriteFile(prefix+"_1", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fill := func(_ int, w io.Writer) error {
		_, err := io.WriteString(w, "x")
		return err
	}
	ended, _ := startPlatform(t, channel.Platform{Prefix: prefix, Epochs: 2, Fill: fill})
	for stop := time.Now().Add(testTimeout); time.Now().Before(stop); {
		if info, err := os.Stat(old); err == nil && info.Mode().Perm() != 0 {
			break
		}
	}
	r := openForReading(t, prefix+"_0")
	if got := readAll(t, r); got != "x" {
		t.Errorf("%q", got)
	}
	r.Close()
	err := platformEnd(t, ended)
	if err == nil || !strings.Contains(err.Error(), "train_1: it exists and is not a FIFO") {
		t.Error(err)
	}
}

// TestStreamIntoFile checks an ordinary file, a file that is opened for appending, which splice(2)
// refuses, and a device that is full.
func TestStreamIntoFile(t *testing.T) {
	dir, stream := makeObjects(t)
	path := filepath.Join(dir, "..", "out-"+filepath.Base(dir))
	t.Cleanup(func() { os.Remove(path) })
	for _, how := range []string{"path", "append", "full"} {
		t.Run(how, func(t *testing.T) {
			prefix := filepath.Join(t.TempDir(), "train")
			p := channel.Platform{Prefix: prefix, Epochs: 2, Fill: fillFrom(t, dir)}
			ended, stop := startPlatform(t, p)
			var out *channel.Output
			var err error
			switch how {
			case "path":
				out, err = channel.Path(path)
			case "full":
				out, err = channel.Path("/dev/full")
			default:
				var fd int
				fd, err = syscall.Open(path, syscall.O_WRONLY|syscall.O_APPEND|syscall.O_TRUNC, 0)
				out = channel.Descriptor(fd)
				defer syscall.Close(fd)
			}
			if err != nil {
				t.Fatal(err)
			}
			err = startStream(t, channel.Options{Prefix: prefix, Epochs: 2, Output: out}).result()
			if how == "full" {
				if full, ok := errors.AsType[*channel.WriteError](err); !ok || !errors.Is(full, syscall.ENOSPC) {
					t.Error(err)
				}
				stop(nil)
				return
			}
			if got, readErr := os.ReadFile(path); err != nil || readErr != nil || string(got) != stream+stream {
				t.Errorf("%v, %v, %d bytes", err, readErr, len(got))
			}
			if err := platformEnd(t, ended); err != nil {
				t.Error(err)
			}
		})
	}
}
