package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// SocketName is the unix socket's file in the run's private directory.
const SocketName = "run.sock"

// Handlers say what the run does for the programs that connect to its socket.
type Handlers struct {
	// Remote starts words on a host, for an rsh. ctx ends when that went away, or with Close.
	Remote func(ctx context.Context, host string, words []string, files [3]*os.File) (code int, err error)
	// Joined hears of a rank that has registered.
	Joined func(r *RankConn)
}

// Local is the run's end of the unix socket on its host. Only this user and root can connect.
type Local struct {
	door
	h Handlers
}

const callTime = 5 * time.Second // to say what one comes for

// Listen makes the socket in dir, which belongs to this user alone.
func Listen(dir string, h Handlers) (*Local, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, SocketName), Net: "unix"})
	if err != nil {
		return nil, err
	}
	s := &Local{h: h}
	s.open(l, func(conn net.Conn) {
		if conn, ok := conn.(*net.UnixConn); ok { // as all are
			s.attend(conn, func() { s.serve(conn) })
		}
	})
	return s, nil
}

// InUse says whether a run answers at the socket in dir.
func InUse(dir string) bool {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: filepath.Join(dir, SocketName), Net: "unix"})
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// serve finds out who comes.
func (s *Local) serve(conn *net.UnixConn) {
	peer, err := credentials(conn)
	if err != nil || peer.Uid != 0 && int(peer.Uid) != os.Geteuid() {
		return
	}
	if conn.SetReadDeadline(time.Now().Add(callTime)) != nil {
		return
	}
	kind, files, err := greeting(conn)
	defer closeAll(files)
	switch l := newLines(conn); {
	case err != nil:
		_ = send(conn, rshEnd{Code: lost, Error: err.Error()})
	case kind == kindRsh:
		s.rsh(conn, l, files)
	case kind == kindRank:
		s.rank(conn, l, int(peer.Pid))
	}
}

// credentials are the kernel's word on who has connected.
func credentials(conn *net.UnixConn) (*unix.Ucred, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var peer *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) { peer, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return nil, err
	}
	return peer, failed
}

// rsh has a command carried out on another host, with the caller's own files.
func (s *Local) rsh(conn *net.UnixConn, l lines, files [3]*os.File) {
	call, err := readRsh(l)
	if err != nil {
		_ = send(conn, rshEnd{Code: lost, Error: err.Error()})
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	s.work.Go(func() {
		_, _ = conn.Read(make([]byte, 1)) // nothing more is said: it is gone, or we are
		cancel()
	})
	code, err := s.h.Remote(ctx, call.Host, call.words(), files)
	if s.ctx.Err() != nil {
		return // what comes of it now is Close's doing
	}
	end := rshEnd{Code: code}
	if err != nil {
		end = rshEnd{Code: lost, Error: err.Error()}
	}
	_ = send(conn, end) // who went away does not hear it
}

// greeting reads the first byte, and the files that came with it.
func greeting(conn *net.UnixConn) (kind byte, files [3]*os.File, err error) {
	first, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4*len(files)))
	n, oobn, _, _, err := conn.ReadMsgUnix(first, oob)
	if err != nil || n == 0 {
		return 0, files, errors.Join(err, errRefused)
	}
	fds := rights(oob[:oobn])
	for i, fd := range fds {
		if i < len(files) {
			files[i] = os.NewFile(uintptr(fd), "received")
		} else {
			_ = unix.Close(fd)
		}
	}
	want := map[byte]int{kindRsh: len(files), kindRank: 0}
	if n, ok := want[first[0]]; !ok || n != len(fds) {
		return 0, files, fmt.Errorf("%w: %q with %d files", errRefused, first, len(fds))
	}
	return first[0], files, nil
}

// rights are the file descriptors in a control message. The kernel rounds the room for three up.
func rights(oob []byte) []int {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	var all []int
	for _, m := range messages {
		if fds, err := unix.ParseUnixRights(&m); err == nil {
			all = append(all, fds...)
		}
	}
	return all
}
