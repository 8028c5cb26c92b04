package rendezvous

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// Protocol is the version of what the hosts say to each other. Two that differ do not fit.
const Protocol = 2

// path is where the leader listens: the only one.
const path = "/v1/sync"

// Member is what a host tells of itself to all.
type Member struct {
	Host         string `json:"host"`
	Slots        int    `json:"slots"` // ranks that it has room for
	CPUs         int    `json:"cpus"`
	Accelerators int    `json:"accelerators"`
	PublicKey    string `json:"public_key,omitempty"` // of its ssh or sshd, where a launcher uses them
}

// Digests are what has to be the same on every host. They say that two differ, and are too short to tell what a
// secret is (see Digest).
type Digests struct {
	Hosts           string `json:"hosts"`
	Hyperparameters string `json:"hyperparameters"`
	Command         string `json:"command"`
	Launcher        string `json:"launcher,omitempty"` // and its version, as it is: a program that all hosts must have alike
}

// End is how the work of a host ended.
type End struct {
	Code int       // the exit code
	Text string    // why, if the code is not 0, in one line: "exit code 1: RuntimeError: …"
	At   time.Time // when
	// Follows says that it comes of another failure, if there is one: any that does not counts before it.
	Follows bool
}

// failureCode is the exit code of a failure, which is never 0: one without a code, or with one that a process cannot end
// with, is the program's own mistake.
func failureCode(code int) int {
	if code < 1 || code > 255 {
		return CodeInternal
	}
	return code
}

// CodeInternal is the code of a failure that has none of its own (EX_SOFTWARE).
const CodeInternal = 70

// order is when it counts: what follows from others is a year late.
func (e *End) order() time.Time {
	if e.Follows {
		return e.At.AddDate(1, 0, 0)
	}
	return e.At
}

// hello is what a host says to the leader, again and again. Durations are in milliseconds, but for ages.
type hello struct {
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`  // of the program, for messages
	Mode     string `json:"mode"`     // the verb: run, exec or wait
	Instance string `json:"instance"` // tells two processes of one host apart
	Count    int    `json:"count"`    // of this instance's hellos
	Member
	Digests Digests  `json:"digests"`
	Ready   bool     `json:"ready"`             // all names resolve there
	Pending []string `json:"pending,omitempty"` // those that do not, the first few
	Clock   int64    `json:"clock"`             // microseconds since 1970
	Seen    int      `json:"seen"`              // the number of the last view
	Hold    int64    `json:"hold"`              // how long the leader may wait for news before it answers
	Stopped bool     `json:"stopped,omitempty"` // it was sent SIGTERM
	Ended   *ended   `json:"ended,omitempty"`
	Fault   *fault   `json:"fault,omitempty"` // why the job fails, though this host has not ended
	Begun   bool     `json:"begun,omitempty"` // a rank has begun there
	Quiet   bool     `json:"quiet,omitempty"` // none is at work there any more
	joined  bool     // the release was heard of; does not cross
}

// fault is a failure that is known before its host ends. The leader may tell one of another host.
type fault struct {
	Host string `json:"host"`
	ended
}

// ended is End as it crosses: clocks differ, ages hardly do.
type ended struct {
	Code int    `json:"code"`
	Text string `json:"text,omitempty"`
	Age  int64  `json:"age"` // microseconds
	// Follows is of End.
	Follows bool `json:"follows,omitempty"`
}

func (e *End) cross(now time.Time) ended {
	return ended{Code: e.Code, Text: e.Text, Age: max(0, now.Sub(e.At)).Microseconds(), Follows: e.Follows}
}

// view is what the leader answers.
type view struct {
	Seq      int             `json:"seq"` // grows with every change
	Released bool            `json:"released"`
	Members  json.RawMessage `json:"members,omitempty"` // once released: a list of Member in the order of ranks
	Missing  []absence       `json:"missing,omitempty"` // before, the first few
	First    *failure        `json:"first,omitempty"`   // the first failure
	Stopped  string          `json:"stopped,omitempty"` // the first host that was sent SIGTERM
	Begun    bool            `json:"begun,omitempty"`   // on some host
	Quiet    bool            `json:"quiet,omitempty"`   // on all hosts
	Over     *int            `json:"over,omitempty"`    // the exit code of a leader whose launcher has ended
	Refused  string          `json:"refused,omitempty"` // why this host may not join; then all else is empty
}

type absence struct {
	Host string `json:"host"`
	Why  string `json:"why"`
}

type failure struct {
	Host string `json:"host"`
	Code int    `json:"code"`
	Text string `json:"text"`
}

// Bounds of a hello: whoever can reach the port may send one.
const (
	maxHello = 64 << 10 // bytes
	maxWord  = 255      // bytes of a name, a version, a digest
	maxText  = 1024     // bytes
	maxNames = 16       // that are pending, or missing
)

// readHello reads and checks a hello.
func readHello(from io.Reader) (*hello, error) {
	data, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	var h hello
	if err := json.Unmarshal(data, &h); err != nil {
		return nil, errors.New("the message is not the JSON that a host sends")
	}
	d := &h.Digests
	words := append([]string{h.Version, h.Mode, h.Instance, h.Host, h.PublicKey, d.Hosts, d.Hyperparameters, d.Command, d.Launcher}, h.Pending...)
	if h.Fault != nil {
		words = append(words, h.Fault.Host)
	}
	for _, w := range words {
		if len(w) > maxWord || !isPrintable(w) {
			return nil, fmt.Errorf("a field is longer than %d bytes or holds control characters", maxWord)
		}
	}
	switch {
	case h.Host == "" || h.Instance == "":
		return nil, errors.New("host or instance is empty")
	case len(h.Pending) > maxNames, min(h.Slots, h.CPUs, h.Accelerators, h.Count, h.Seen) < 0, h.Hold < 0:
		return nil, errors.New("a number is out of its range")
	case h.Ended != nil && !h.Ended.isSound(), h.Fault != nil && !h.Fault.isSound():
		return nil, errors.New("the exit code or the text of an end is out of its range")
	case h.Fault != nil && h.Fault.Code == 0:
		return nil, errors.New("a fault has exit code 0, expected 1 to 255")
	}
	return &h, nil
}

func (e *ended) isSound() bool {
	return e.Code >= 0 && e.Code <= 255 && e.Age >= 0 && len(e.Text) <= maxText && isPrintable(e.Text)
}

// isPrintable says whether a text can stand in a line of the log: what others send must not forge one.
func isPrintable(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// oneLine makes a text that isPrintable and no longer than maxText bytes.
func oneLine(s string) string {
	clean := make([]rune, 0, len(s))
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			r = ' '
		}
		clean = append(clean, r)
	}
	s = string(clean)
	if len(s) <= maxText {
		return s
	}
	cut := maxText - len("…")
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func milliseconds(n int64) time.Duration {
	return time.Duration(min(n, longestSpan.Milliseconds())) * time.Millisecond
}
