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

// lost is the exit code of an rsh that cannot tell the command's, as ssh has it.
const lost = 255

var errGone = errors.New("entrain run on this host has ended, or belongs to another user")

// Rsh runs a command on another host, through the run on this one, with the process's own files, and gives its exit
// code. args are as mpirun gives them to ssh: options, the host, the command's words.
func Rsh(socket string, args []string, stdin, stdout, stderr *os.File) (code int, err error) {
	host, words, err := parseRsh(args)
	if err != nil {
		return lost, err
	}
	in, release := waitable(int(stdin.Fd()))
	defer release()
	conn, err := call(socket, kindRsh, unix.UnixRights(in, int(stdout.Fd()), int(stderr.Fd())))
	if err != nil {
		return lost, err
	}
	defer func() { _ = conn.Close() }()
	var end rshEnd
	switch err := errors.Join(send(conn, rshCall{Host: host, Words: bytesOf(words)}), newLines(conn).read(&end)); {
	case err != nil:
		return lost, errGone
	case end.Error != "":
		return cmp.Or(end.Code, lost), errors.New(end.Error) // an error never has code 0
	}
	return end.Code, nil
}

// call connects to the run on this host, and says who comes.
func call(socket string, kind byte, files []byte) (*net.UnixConn, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("entrain run on this host: %w\nhint: only the launcher that entrain run started can call this", err)
	}
	if _, _, err := conn.WriteMsgUnix([]byte{kind}, files, nil); err != nil {
		_ = conn.Close()
		return nil, errGone
	}
	return conn, nil
}

// parseRsh takes ssh's arguments apart, as far as launchers use them. Which key, port and user there are to use is not
// the launcher's to say.
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
			return "", nil, fmt.Errorf("%q: expected the options -x, -q, -n, -p, -l or -o, then a host and a command", option)
		}
		break
	}
	if len(args) < 2 || args[0] == "" {
		return "", nil, fmt.Errorf("%q: expected a host and a command", args)
	}
	return args[0], args[1:], nil
}

func bytesOf(words []string) [][]byte {
	all := make([][]byte, 0, len(words))
	for _, w := range words {
		all = append(all, []byte(w))
	}
	return all
}
