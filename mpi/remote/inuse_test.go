package remote

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestInUse: a directory is in use as long as its run is there, whatever it leaves behind.
func TestInUse(t *testing.T) {
	dir := t.TempDir()
	if InUse(dir) {
		t.Error("an empty directory is in use")
	}
	local, socket := newNetwork(t, 1).local(t, Handlers{})
	if !InUse(filepath.Dir(socket)) {
		t.Error("nobody is found who is there")
	}
	local.Close()
	if InUse(filepath.Dir(socket)) {
		t.Error("who was closed is still there")
	}
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, SocketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false) // as a run that was killed
	_ = left.Close()
	if _, err := os.Stat(filepath.Join(dir, SocketName)); err != nil || InUse(dir) {
		t.Errorf("a socket that was left behind is taken for a run: %v", err)
	}
}
