package remote

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestInUseOnlyWhileTheRunLives: a directory is in use as long as its run lives, not longer, whatever the run
// leaves in it.
func TestInUseOnlyWhileTheRunLives(t *testing.T) {
	dir := t.TempDir()
	if InUse(dir) {
		t.Error("an empty directory is in use")
	}
	local, socket := newNetwork(t, 1).local(t, Handlers{})
	if !InUse(filepath.Dir(socket)) {
		t.Error("a run that lives is not found")
	}
	local.Close()
	if InUse(filepath.Dir(socket)) {
		t.Error("a run that has ended is found")
	}
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, SocketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false) // like a run that was killed
	_ = left.Close()
	if _, err := os.Stat(filepath.Join(dir, SocketName)); err != nil || InUse(dir) {
		t.Errorf("a socket without a run is taken for a run: %v", err)
	}
}
