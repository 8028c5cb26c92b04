package channel_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"entrain/channel"
	"entrain/channel/recordio"
)

// serve plays the platform until the test ends, and gives what it ended with.
func serve(t *testing.T, p channel.Platform) (ended chan error, stop context.CancelCauseFunc) {
	t.Helper()
	ctx, stop := context.WithCancelCause(context.Background())
	ended = make(chan error, 1)
	go func() { ended <- channel.Serve(ctx, p) }()
	t.Cleanup(func() { stop(nil) })
	return ended, stop
}

func end(t *testing.T, ended chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		t.Fatal("the platform does not end")
		return nil
	}
}

// objects is a directory whose files are streamed in another order than a walk through it finds them.
func objects(t *testing.T) (dir, stream string) {
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

// TestReaders: readers that nobody here wrote get three epochs, also where a FIFO is late.
func TestReaders(t *testing.T) {
	dir, stream := objects(t)
	ifstream := cpp(t, `#include <fstream>
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
			ended, _ := serve(t, channel.Platform{Prefix: prefix, Epochs: 3, Late: 50 * time.Millisecond, Seed: 1, Fill: channel.Directory(dir, nil)})
			out, err := exec.CommandContext(t.Context(), argv[0], append(argv[1:], prefix)...).Output()
			if err != nil || string(out) != strings.Repeat(stream, 3) {
				t.Errorf("%v, %d bytes", err, len(out))
			}
			if err := end(t, ended); err != nil {
				t.Error(err)
			}
			if left, _ := filepath.Glob(prefix + "*"); left != nil {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestBothSides: what the platform makes, a stream reads; an early end of the reader is the next epoch's beginning.
func TestBothSides(t *testing.T) {
	dir, stream := objects(t)
	prefix := filepath.Join(t.TempDir(), "train")
	ended, _ := serve(t, channel.Platform{Prefix: prefix, Epochs: 3, Fill: channel.Directory(dir, nil)})
	fifo := mkfifo(t, prefix+"-for-trainer")
	out, err := channel.Path(fifo)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, channel.Options{Prefix: prefix, Epochs: 3, Output: out})
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
				t.Errorf("behind epoch 0: %d bytes, %v", n, err)
			}
		}
		r.Close()
	}
	if err := errors.Join(s.err(), end(t, ended)); err != nil {
		t.Error(err)
	}
}

// TestOneAtATime: the next FIFO is not there until the first one is closed.
func TestOneAtATime(t *testing.T) {
	dir, stream := objects(t)
	prefix := filepath.Join(t.TempDir(), "train")
	ended, stop := serve(t, channel.Platform{Prefix: prefix, Fill: channel.Directory(dir, nil)})
	r := open(t, prefix+"_0")
	if got := readAll(t, r); got != stream {
		t.Errorf("%d bytes", len(got))
	}
	if _, err := os.Stat(prefix + "_1"); !os.IsNotExist(err) {
		t.Errorf("the next FIFO: %v", err)
	}
	r.Close()
	open(t, prefix+"_1").Close() // early
	open(t, prefix+"_2").Close()
	stop(errStop)
	if err := end(t, ended); !errors.Is(err, errStop) {
		t.Error(err)
	}
	if left, _ := filepath.Glob(prefix + "*"); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// TestProbe: who opens and closes a FIFO before it has a writer has not read it.
func TestProbe(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	filling := make(chan struct{})
	ended, _ := serve(t, channel.Platform{Prefix: prefix, Epochs: 1, Fill: func(io.Writer) error { <-filling; return nil }})
	probe := func() error {
		fd, err := syscall.Open(prefix+"_0", syscall.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			err = syscall.Close(fd)
		}
		return err
	}
	for stop := time.Now().Add(patience); probe() != nil && time.Now().Before(stop); {
		<-time.After(time.Millisecond)
	}
	r := open(t, prefix+"_0")
	close(filling)
	if got := readAll(t, r); got != "" {
		t.Errorf("%q", got)
	}
	select {
	case err := <-ended:
		t.Fatalf("it ended while its reader was there: %v", err)
	case <-time.After(50 * time.Millisecond): // which is enough to notice, and too little to matter
	}
	r.Close()
	if err := end(t, ended); err != nil {
		t.Error(err)
	}
}

// open opens a FIFO for reading once it is there.
func open(t *testing.T, path string) *os.File {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for stop := time.Now().Add(patience); time.Now().Before(stop); <-tick.C {
		if r, err := os.Open(path); err == nil {
			return r
		}
	}
	t.Fatalf("%s is not there", path)
	return nil
}

// TestRestart: the FIFOs of a run that was killed are made anew; what is no FIFO is left alone.
func TestRestart(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "train")
	old := mkfifo(t, prefix+"_0")
	if err := os.Chmod(old, 0); err != nil { // so that it can be told from the new one
		t.Fatal(err)
	}
	if err := os.WriteFile(prefix+"_1", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ended, _ := serve(t, channel.Platform{Prefix: prefix, Epochs: 2, Fill: func(w io.Writer) error { _, err := w.Write([]byte("x")); return err }})
	for stop := time.Now().Add(patience); time.Now().Before(stop); {
		if info, err := os.Stat(old); err == nil && info.Mode().Perm() != 0 {
			break
		}
	}
	r := open(t, prefix+"_0")
	if got := readAll(t, r); got != "x" {
		t.Errorf("%q", got)
	}
	r.Close()
	if err := end(t, ended); err == nil || !strings.Contains(err.Error(), "train_1: it exists and is not a FIFO") {
		t.Error(err)
	}
}

// TestManifest: attributes in their order, objects for references, each a record of its own.
func TestManifest(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"1.jpg": "one", "2.jpg": "two\n",
		"manifest": `{"class": 0, "other": "x", "image-ref": "1.jpg"}` + "\n\n" + `{"image-ref": "` + dir + `/2.jpg", "class": "a cat"}`,
		"remote":   `{"image-ref": "s3://bucket/1.jpg"}`,
		"broken":   `{"class": 1, "image-ref": "1.jpg"}` + "\n" + `{"class": 1, "image-ref": "3.jpg"}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var raw, wrapped, lines bytes.Buffer
	names := []string{"image-ref", "class"}
	if err := channel.Manifest(filepath.Join(dir, "manifest"), names, nil)(&raw); err != nil || raw.String() != "one0two\na cat" {
		t.Errorf("%v, %q", err, raw.String())
	}
	err := channel.Manifest(filepath.Join(dir, "manifest"), names, recordio.AppendRecord)(&wrapped)
	err = errors.Join(err, recordio.Decode(&wrapped, &lines, recordio.Options{Form: recordio.LengthPrefixed}))
	if want := "\x03\x00\x00\x00\x00\x00\x00\x00one\x01\x00\x00\x00\x00\x00\x00\x000\x04\x00\x00\x00\x00\x00\x00\x00two\n\x05\x00\x00\x00\x00\x00\x00\x00a cat"; err != nil || lines.String() != want {
		t.Errorf("%v, %q", err, lines.String())
	}
	for want, names := range map[string][]string{`:1: no attribute "nothing"`: {"nothing"}, `:2: attribute "image-ref": open`: {"image-ref"}} {
		mistake(t, filepath.Join(dir, "broken"), names, want)
	}
	mistake(t, filepath.Join(dir, "remote"), names, `:1: attribute "image-ref": found "s3://bucket/1.jpg", expected a file`)
}

// mistake wants a manifest to be refused.
func mistake(t *testing.T, path string, names []string, want string) {
	t.Helper()
	err := channel.Manifest(path, names, nil)(io.Discard)
	if _, ok := errors.AsType[*channel.ManifestError](err); !ok || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestOutputs: a file, one that is appended to, which splice(2) refuses, and one that is full.
func TestOutputs(t *testing.T) {
	dir, stream := objects(t)
	path := filepath.Join(dir, "..", "out-"+filepath.Base(dir))
	t.Cleanup(func() { os.Remove(path) })
	for _, how := range []string{"path", "append", "full"} {
		t.Run(how, func(t *testing.T) {
			prefix := filepath.Join(t.TempDir(), "train")
			ended, stop := serve(t, channel.Platform{Prefix: prefix, Epochs: 2, Fill: channel.Directory(dir, nil)})
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
			err = start(t, channel.Options{Prefix: prefix, Epochs: 2, Output: out}).err()
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
			if err := end(t, ended); err != nil {
				t.Error(err)
			}
		})
	}
}
