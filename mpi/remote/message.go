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
	"unicode"
)

// What goes over the unix socket: one byte that says who comes, with an rsh's files, then lines of JSON both ways.
const (
	kindRsh  = 'r'
	kindRank = 'k'
)

const (
	maxLine = 4 << 20 // bytes; the kernel allows a command line half of it
	maxText = 1024    // bytes of how a trainer ended
)

type (
	// rshCall is what an rsh asks for, and rshEnd what comes of it.
	rshCall struct {
		Host  string   `json:"host"`
		Words [][]byte `json:"words"` // JSON's own strings would change what is not UTF-8
	}
	rshEnd struct {
		Code  int    `json:"code"`
		Error string `json:"error,omitempty"`
	}
	// rankCall registers a rank.
	rankCall struct {
		Rank int `json:"rank"`
	}
	// rankOrder is what a rank is told.
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

// RankEnd is how a rank's trainer ended.
type RankEnd struct {
	Code   int       `json:"code"`   // the exit code, 128+n for a signal
	Signal int       `json:"signal"` // that it was killed by, or 0
	Text   string    `json:"text"`   // in one line: "exit code 7: RuntimeError: x"
	At     time.Time `json:"at"`
	// Told says that the trainer was sent SIGTERM before it ended: then its end says nothing of its own.
	Told bool `json:"told,omitempty"`
}

var errRefused = errors.New("entrain run on this host refuses")

// lines reads messages.
type lines struct{ r *bufio.Reader }

func newLines(r io.Reader) lines { return lines{bufio.NewReader(io.LimitReader(r, maxLine))} }

// read takes one message. Those who send one send few, so that the bound holds for all of them together.
func (l lines) read(message any) error {
	line, err := l.r.ReadBytes('\n')
	if err != nil {
		return err // an end amid a message is none
	}
	return json.Unmarshal(line, message)
}

func readRsh(l lines) (c rshCall, err error) {
	if err = l.read(&c); err == nil && (c.Host == "" || len(c.Words) == 0) {
		err = errors.New("expected a host and a command")
	}
	return c, err
}

func readRank(l lines) (c rankCall, err error) {
	if err = l.read(&c); err == nil && c.Rank < 0 {
		err = fmt.Errorf("rank %d: expected 0 or more", c.Rank)
	}
	return c, err
}

// isSound says whether a trainer can end so: what a signal has killed has no code 0.
func (e *RankEnd) isSound() bool {
	return e.Code >= 0 && e.Code <= 255 && e.Signal >= 0 && e.Signal <= 64 && (e.Code > 0 || e.Signal == 0)
}

func readEnd(l lines) (e RankEnd, err error) {
	if err = l.read(&e); err == nil && !e.isSound() {
		err = fmt.Errorf("exit code %d, signal %d: no process ends so", e.Code, e.Signal)
	}
	e.Text = oneLine(e.Text)
	return e, err
}

// send writes a message. Who does not take one so small is not there any more.
func send(conn net.Conn, message any) error {
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if err := conn.SetWriteDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	_, err = conn.Write(append(line, '\n'))
	return err
}

// oneLine makes a printable text of bounded length.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), maxText)], "")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
