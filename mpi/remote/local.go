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

// SocketName is the name of the unix socket in the run's private directory.
const SocketName = "run.sock"

// Handlers say what the run does for the programs that connect to its socket.
type Handlers struct {
	// Remote runs words on a host for an rsh, with the rsh's own stdin, stdout and stderr. It returns the words'
	// exit code. ctx ends when the rsh is gone, and at Close.
	Remote func(ctx context.Context, host string, words []string, files [3]*os.File) (code int, err error)
	// Joined is called with each rank that has registered. It must not block.
	Joined func(r *RankConn)
	// Raised is called with an exception of a rank's trainer that does not end. It may be nil.
	Raised func(r *RankConn, text string)
}

// Local is the run's end of the unix socket on its host. Only this user and root can connect.
type Local struct {
	acceptor
	handlers Handlers
}

// Listen makes the socket in dir, which must be a private directory of this user.
func Listen(dir string, h Handlers) (*Local, error) {
	listener, err := net.ListenUnix("unix", unixAddr(filepath.Join(dir, SocketName)))
	if err != nil {
		return nil, err
	}
	s := &Local{handlers: h}
	s.start(listener, func(conn net.Conn) {
		if conn, ok := conn.(*net.UnixConn); ok { // always
			s.handle(conn, func() { s.serve(conn) })
		}
	})
	return s, nil
}

// InUse says whether a run answers at the socket in dir.
func InUse(dir string) bool {
	conn, err := dialUnix(filepath.Join(dir, SocketName))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func dialUnix(socket string) (*net.UnixConn, error) {
	return net.DialUnix("unix", nil, unixAddr(socket))
}

func unixAddr(socket string) *net.UnixAddr { return &net.UnixAddr{Name: socket, Net: "unix"} }

// serve finds out who has connected, and serves it.
func (s *Local) serve(conn *net.UnixConn) {
	peer, err := peerCredentials(conn)
	if err != nil || peer.Uid != 0 && int(peer.Uid) != os.Geteuid() {
		return
	}
	if conn.SetReadDeadline(time.Now().Add(greetingTimeout)) != nil {
		return
	}
	kind, files, err := readGreeting(conn)
	defer closeAll(files)
	switch l := newLineReader(conn); {
	case err != nil:
		sendError(conn, err)
	case kind == kindRsh:
		s.serveRsh(conn, l, files)
	case kind == kindRank:
		s.serveRank(conn, l, int(peer.Pid))
	}
}

// peerCredentials asks the kernel which user and process have connected.
func peerCredentials(conn *net.UnixConn) (*unix.Ucred, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var peer *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		peer, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return nil, err
	}
	return peer, failed
}

// serveRsh has a command run on another host, with the rsh's own files.
func (s *Local) serveRsh(conn *net.UnixConn, l lineReader, files [3]*os.File) {
	call, err := readRsh(l)
	if err != nil {
		sendError(conn, err)
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	s.work.Go(func() {
		// An rsh sends nothing more, so the read returns when the rsh is gone, or at Close.
		_, _ = conn.Read(make([]byte, 1))
		cancel()
	})
	code, err := s.handlers.Remote(ctx, call.Host, call.words(), files)
	switch {
	case s.ctx.Err() != nil: // Close ended the command: its code says nothing
	case err != nil:
		sendError(conn, err)
	default:
		_ = send(conn, rshEnd{Code: code}) // an rsh that is gone does not get it
	}
}

// readGreeting reads the first byte, and the files that came with it.
func readGreeting(conn *net.UnixConn) (kind byte, files [3]*os.File, err error) {
	first, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4*len(files)))
	n, oobn, _, _, err := conn.ReadMsgUnix(first, oob)
	if err != nil || n == 0 {
		return 0, files, errors.Join(err, errRefused)
	}
	fds := fileDescriptors(oob[:oobn])
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

// fileDescriptors reads the descriptors in a control message. There may be four, since the kernel rounds up
// the room for three.
func fileDescriptors(oob []byte) []int {
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
