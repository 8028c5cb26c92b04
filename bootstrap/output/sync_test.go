package output

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNameOfFileSurvivesCrash: Atomically opens the directory after the file has its name, since fsync(2)
// needs that.
func TestNameOfFileSurvivesCrash(t *testing.T) {
	dir := t.TempDir()
	watch, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(watch) }()
	if _, err := unix.InotifyAddWatch(watch, dir, unix.IN_MOVED_TO|unix.IN_OPEN|unix.IN_ONLYDIR); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "file")
	if err := Atomically(path, strings.NewReader("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); string(text) != "text" || err != nil {
		t.Errorf("the file has %q, %v", text, err)
	}
	events := masks(t, watch)
	named := slices.Index(events, unix.IN_MOVED_TO)
	if named < 0 || !slices.Contains(events[named:], unix.IN_OPEN|unix.IN_ISDIR) {
		t.Errorf("the events are %#x: the directory is not opened after the file has its name", events)
	}
}

// masks reads the events that have happened so far, as masks of inotify(7).
func masks(t *testing.T, watch int) (found []uint32) {
	t.Helper()
	buffer := make([]byte, 64<<10)
	n, err := unix.Read(watch, buffer)
	if err != nil {
		t.Fatal(err)
	}
	for data := buffer[:n]; len(data) >= unix.SizeofInotifyEvent; {
		found = append(found, binary.NativeEndian.Uint32(data[4:]))
		data = data[unix.SizeofInotifyEvent+binary.NativeEndian.Uint32(data[12:]):]
	}
	return found
}
