package remote

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

var errRunGone = errors.New("entrain run on this host has ended, or belongs to another user")

// Rsh runs a command on another host through the run on this host, and returns its exit code. The command
// uses the three files. socket is the path of the run's socket. args are ssh's arguments, as mpirun gives
// them: options, the host, the command's words. Every error comes with a code that is not 0, usually
// CodeSSHError.
func Rsh(socket string, args []string, stdin, stdout, stderr *os.File) (code int, err error) {
	host, words, err := parseRsh(args)
	if err != nil {
		return CodeSSHError, err
	}
	in, release := pollableStdin(int(stdin.Fd()))
	defer release()
	conn, err := dialRun(socket, kindRsh, unix.UnixRights(in, int(stdout.Fd()), int(stderr.Fd())))
	if err != nil {
		return CodeSSHError, err
	}
	defer func() { _ = conn.Close() }()
	var end rshEnd
	err = errors.Join(send(conn, rshCall{Host: host, Words: wordBytes(words)}), newLineReader(conn).read(&end))
	switch {
	case err != nil:
		return CodeSSHError, errRunGone
	case end.Error != "":
		return cmp.Or(end.Code, CodeSSHError), errors.New(end.Error)
	}
	return end.Code, nil
}

// dialRun connects to the run on this host, and says who connects. rights is a control message with files, or
// empty.
func dialRun(socket string, kind byte, rights []byte) (*net.UnixConn, error) {
	conn, err := dialUnix(socket)
	if err != nil {
		return nil, fmt.Errorf("entrain run on this host: %w\n"+
			"hint: only the launcher that entrain run started can call this", err)
	}
	if _, _, err := conn.WriteMsgUnix([]byte{kind}, rights, nil); err != nil {
		_ = conn.Close()
		return nil, errRunGone
	}
	return conn, nil
}

// parseRsh reads the arguments of ssh that launchers use. It ignores the options: the launcher does not
// choose the key, the port or the user.
func parseRsh(args []string) (host string, words []string, err error) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		option := args[0]
		args = args[1:]
		switch {
		case option == "--":
		case strings.Trim(option[1:], "xqn") == "" && option != "-":
			continue
		case len(option) == 2 && strings.Contains("plo", option[1:]):
			if len(args) == 0 {
				return "", nil, fmt.Errorf("%s: expected a value", option)
			}
			args = args[1:]
			continue
		case len(option) > 2 && strings.Contains("plo", option[1:2]):
			continue
		default:
			return "", nil, fmt.Errorf("%q: expected the options -x, -q, -n, -p, -l or -o, "+
				"then a host and a command", option)
		}
		break
	}
	if len(args) < 2 || args[0] == "" {
		return "", nil, fmt.Errorf("%q: expected a host and a command", args)
	}
	return args[0], args[1:], nil
}

func wordBytes(words []string) [][]byte {
	all := make([][]byte, 0, len(words))
	for _, w := range words {
		all = append(all, []byte(w))
	}
	return all
}
