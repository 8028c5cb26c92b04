package remote

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// A connection to the unix socket begins with one byte that says who connects. An rsh sends its three files
// with that byte. Then lines of JSON follow, in both directions.
const (
	kindRsh  = 'r'
	kindRank = 'k'
)

const (
	maxLine = 4 << 20 // bytes of all messages of a connection; the kernel allows a command line half of it
	maxText = 1024    // bytes of a text that is printed, such as RankEnd.Text
)

type (
	// rshCall asks for a command on a host.
	rshCall struct {
		Host  string   `json:"host"`
		Words [][]byte `json:"words"` // not []string: JSON would change strings that are not UTF-8
	}
	// rshEnd answers an rshCall when the command has ended.
	rshEnd struct {
		Code  int    `json:"code"`
		Error string `json:"error,omitempty"`
	}
	// rankCall registers a rank.
	rankCall struct {
		Rank int `json:"rank"`
	}
	// rankOrder tells a rank what to do.
	rankOrder struct {
		Do string `json:"do"` // orderStop or orderLeave
	}
)

func (c rshCall) words() []string {
	all := make([]string, 0, len(c.Words))
	for _, w := range c.Words {
		all = append(all, string(w))
	}
	return all
}

const (
	orderStop  = "stop"
	orderLeave = "leave"
)

// RankEnd tells how a rank's trainer ended.
type RankEnd struct {
	Code   int       `json:"code"`   // the exit code; 128+n for signal n
	Signal int       `json:"signal"` // the signal that killed it, or 0
	Text   string    `json:"text"`   // "exit code 7: RuntimeError: x", as the rank gave it
	At     time.Time `json:"at"`
	// Told says that the trainer was sent SIGTERM before it ended. Its end is then no failure of its own.
	Told bool `json:"told,omitempty"`

	// A message with Pipe, Said or Raised comes before the end, and says nothing else. Pipe is the descriptor
	// from which the wrapper reads its trainer's stderr. Said is what the trainer has said about its end. Raised
	// is the exception of a trainer that does not end.
	Pipe   int    `json:"pipe,omitempty"`
	Said   string `json:"said,omitempty"`
	Raised string `json:"raised,omitempty"`
}

var errRefused = errors.New("entrain run on this host refuses")

// lineReader reads messages, one from each line.
type lineReader struct{ r *bufio.Reader }

// newLineReader bounds all messages of a connection together by maxLine. That is enough, since every sender
// sends few.
func newLineReader(r io.Reader) lineReader {
	return lineReader{bufio.NewReader(io.LimitReader(r, maxLine))}
}

// read reads one message. A line without its end is an error.
func (l lineReader) read(message any) error {
	line, err := l.r.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, message)
}

func readRsh(l lineReader) (c rshCall, err error) {
	if err = l.read(&c); err == nil && (c.Host == "" || len(c.Words) == 0) {
		err = errors.New("expected a host and a command")
	}
	return c, err
}

func readRank(l lineReader) (c rankCall, err error) {
	if err = l.read(&c); err == nil && c.Rank < 0 {
		err = fmt.Errorf("rank %d: expected 0 or more", c.Rank)
	}
	return c, err
}

// isPossible says whether a process can end so. A process that a signal has killed has no code 0.
func (e *RankEnd) isPossible() bool {
	isInRange := e.Code >= 0 && e.Code <= maxCode && e.Signal >= 0 && e.Signal <= maxSignal
	return isInRange && (e.Code > 0 || e.Signal == 0)
}

func readEnd(l lineReader) (e RankEnd, err error) {
	if err = l.read(&e); err == nil && !e.isPossible() {
		err = fmt.Errorf("exit code %d, signal %d: no process ends so", e.Code, e.Signal)
	}
	e.Text = strings.ToValidUTF8(e.Text[:min(len(e.Text), maxText)], "")
	return e, err
}

// send writes a message. After sendTimeout it gives up: the other side does not read any more.
func send(conn net.Conn, message any) error {
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if err := conn.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return err
	}
	_, err = conn.Write(append(line, '\n'))
	return err
}

// sendError tells an rsh why there is no exit code of its command.
func sendError(conn net.Conn, err error) {
	_ = send(conn, rshEnd{Code: CodeSSHError, Error: err.Error()})
}
