package rendezvous

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Protocol is the version of the messages between the hosts. Hosts with different versions refuse each other.
const Protocol = 4

// syncPath is the only path that the leader serves.
const syncPath = "/v1/sync"

// Member is what a host tells all others about itself.
type Member struct {
	Host         string `json:"host"`
	Slots        int    `json:"slots"` // the number of ranks that it has room for
	CPUs         int    `json:"cpus"`
	Accelerators int    `json:"accelerators"`
	PublicKey    string `json:"public_key,omitempty"` // of its ssh or sshd, where a launcher uses them
}

// Digests are the values that must be the same on every host. They are digests, so that the hosts can
// compare secrets without sending them.
type Digests struct {
	Hosts           string `json:"hosts"`
	Hyperparameters string `json:"hyperparameters"`
	Command         string `json:"command"` // of the program and of what all words depend on
	// The others are in clear, and empty for the default.
	Launcher    string `json:"launcher,omitempty"` // name and version; empty on a host of another instance group
	Until       string `json:"until,omitempty"`
	MaxRestarts string `json:"max_restarts,omitempty"`
	ArgsStyle   string `json:"args_style,omitempty"`
}

// End is how the work of a host ended.
type End struct {
	Code int       // the exit code
	Text string    // the reason in one line if the code is not 0: "exit code 1: RuntimeError: …"
	At   time.Time // the moment
	// Follows says that this failure follows from another one. It counts only if there is no other failure.
	Follows bool
	// Final says that the work would fail in the same way again.
	Final bool
}

// failureCode returns the exit code of a failure. A failure with code 0, or with a code that no process can
// end with, is a mistake of entrain and gets CodeInternal.
func failureCode(code int) int {
	if code < 1 || code > 255 {
		return CodeInternal
	}
	return code
}

// CodeInternal is the exit code of a failure that has none of its own (70, EX_SOFTWARE in sysexits.h).
const CodeInternal = 70

// countsAt returns the moment by which failures are ordered. A failure that follows from another one counts
// a year late, and so after all others.
func (e *End) countsAt() time.Time {
	if e.Follows {
		return e.At.AddDate(1, 0, 0)
	}
	return e.At
}

// hello is the message of a host to the leader. The host repeats it until it leaves.
type hello struct {
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`  // of the program, for error texts
	Mode     string `json:"mode"`     // the verb: run, exec or wait
	Instance string `json:"instance"` // random; two processes with the name of one host differ in it
	Count    int    `json:"count"`    // the number of this hello, from 1 on
	Member
	Digests  Digests   `json:"digests"`
	Command  []Word    `json:"command,omitempty"` // until the leader has answered
	Ready    bool      `json:"ready"`             // all names resolve on the host
	Pending  []string  `json:"pending,omitempty"` // the first names that do not
	Clock    int64     `json:"clock"`             // of the host; see steadyClock
	Seen     int       `json:"seen"`              // the Seq of the last view that the host got
	Hold     int64     `json:"hold"`              // how long the leader may hold the answer, in milliseconds
	Stopped  bool      `json:"stopped,omitempty"` // the host was sent SIGTERM
	Ended    *ended    `json:"ended,omitempty"`
	Bye      bool      `json:"bye,omitempty"`      // the host knows that its end is settled, and leaves
	Fault    *fault    `json:"fault,omitempty"`    // why the job fails, although the host goes on
	Begun    bool      `json:"begun,omitempty"`    // a rank has begun on the host
	Quiet    bool      `json:"quiet,omitempty"`    // no rank is at work on the host any more
	Restarts int       `json:"restarts,omitempty"` // how often the host's work was started again
	Table    bool      `json:"table,omitempty"`    // the host uses what the others tell about themselves
	released bool      // the host knows that it is released; not sent
	made     time.Time // the moment of Clock; not sent
}

// at returns a hello as it is said at a later moment: the ages of its ends have grown.
func (h *hello) at(now time.Time) *hello {
	later := *h
	later.made = now
	later.Clock += now.Sub(h.made).Microseconds()
	if h.Ended != nil {
		e := h.Ended.after(later.Clock - h.Clock)
		later.Ended = &e
	}
	if h.Fault != nil {
		later.Fault = &fault{Host: h.Fault.Host, ended: h.Fault.after(later.Clock - h.Clock)}
	}
	return &later
}

// after returns an end as it is some microseconds later.
func (e *ended) after(microseconds int64) ended {
	later := *e
	later.Age = max(0, e.Age+microseconds)
	return later
}

// fault is a failure that is known before its host ends. Only the leader may report a fault of another host.
type fault struct {
	Host string `json:"host"`
	ended
}

// ended is an End in a message. It has the age of the end instead of its moment, since the clocks of two
// hosts differ.
type ended struct {
	Code    int    `json:"code"`
	Text    string `json:"text,omitempty"`
	Age     int64  `json:"age"` // in microseconds
	Follows bool   `json:"follows,omitempty"`
	Final   bool   `json:"final,omitempty"`

	said words // of the launcher; only the leader has them, and its hello goes over no network
}

// words are what a launcher says about the job's first failure.
type words struct {
	explains []string // WHO: WORDS, each of which is put behind the text of a first failure that begins with WHO
	last     string   // the last lines
}

func (e *End) toWire(now time.Time) ended {
	return ended{
		Code: e.Code, Text: e.Text, Age: max(0, now.Sub(e.At)).Microseconds(),
		Follows: e.Follows, Final: e.Final,
	}
}

// view is the leader's answer to a hello: what it knows of all hosts.
type view struct {
	Seq      int             `json:"seq"` // grows with every change
	Released bool            `json:"released"`
	Members  json.RawMessage `json:"members,omitempty"` // a list of row, at the release, for a host that uses it
	Missing  []absence       `json:"missing,omitempty"` // the first missing hosts, before the release
	Lacking  int             `json:"lacking,omitempty"` // the number of all missing hosts
	First    *failure        `json:"first,omitempty"`   // the first failure, once it is decided
	Stopped  string          `json:"stopped,omitempty"` // the first host that was sent SIGTERM
	Begun    bool            `json:"begun,omitempty"`   // a rank has begun on some host
	Quiet    bool            `json:"quiet,omitempty"`   // no rank is at work on any host
	Over     *int            `json:"over,omitempty"`    // the exit code of the launcher, if that has ended
	Last     string          `json:"last,omitempty"`    // the last lines of the launcher, if that has failed
	// Undecided says that a failure is known, and that an earlier one may still be heard of.
	Undecided bool `json:"undecided,omitempty"`
	// Unended says that hosts on which the launcher has started ranks have not told their ends yet.
	Unended bool `json:"unended,omitempty"`
	// Restarts is how often the work of all hosts was to start again, Started for which of these all hosts were
	// ready, and Cause why the last one was.
	Restarts int      `json:"restarts,omitempty"`
	Started  int      `json:"started,omitempty"`
	Cause    *failure `json:"cause,omitempty"`
	Refused  string   `json:"refused,omitempty"` // why the leader refuses the host, without the rest
}

// settles reports whether a view says all that a host still needs to know after its end: which failure is
// the first one, and what the launcher says about it, if there is one. Nothing is left to know where the job
// was stopped, or where the host has ended well and no host has failed yet. Hosts whose ranks a launcher has
// started end together: one of them may be lost before it has told its end.
func (v *view) settles(e *ended, c *Config) bool {
	isOver := c.UntilLeader && v.Over != nil
	isTold := v.First != nil && (v.Over != nil || !c.Launches || !v.Released)
	return isTold || v.Stopped != "" || e.Code == 0 && v.First == nil && !v.Undecided && !v.Unended || isOver
}

// absence is a missing host, and the reason.
type absence struct {
	Host string `json:"host"`
	Why  string `json:"why"`
}

// failure is the failure of a host.
type failure struct {
	Host string `json:"host"`
	Code int    `json:"code"`
	Text string `json:"text"`
}

// Bounds of a hello. Whoever can reach the port may send one.
const (
	maxHello = 64 << 10 // bytes
	maxWord  = 255      // bytes of a name, a version or a digest
	maxText  = 1024     // bytes
	maxNames = 16       // pending or missing hosts
)

// errCut says that a hello has not arrived whole, since its connection has ended.
var errCut = errors.New("the hello was cut")

// readHello reads a hello and checks its bounds. The error is errCut if the network is the reason.
func readHello(from io.Reader, c *Config) (*hello, error) {
	data, err := io.ReadAll(from)
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCut, err)
	}
	var h hello
	if err := json.Unmarshal(data, &h); err != nil {
		return nil, errors.New("the message is not the JSON that a host sends")
	}
	for _, word := range h.words() {
		if len(word) > maxWord || !c.isPrintable(word) {
			return nil, fmt.Errorf("a field is longer than %d bytes or holds control characters", maxWord)
		}
	}
	switch {
	case h.Host == "" || h.Instance == "":
		return nil, errors.New("host or instance is empty")
	case len(h.Pending) > maxNames, len(h.Command) > maxCommand,
		min(h.Slots, h.CPUs, h.Accelerators, h.Count, h.Seen, h.Restarts) < 0, h.Hold < 0:
		return nil, errors.New("a number is out of its range")
	case h.Ended != nil && !h.Ended.isInBounds(c), h.Fault != nil && !h.Fault.isInBounds(c):
		return nil, errors.New("the exit code or the text of an end is out of its range")
	case h.Fault != nil && h.Fault.Code == 0:
		return nil, errors.New("a fault has exit code 0, expected 1 to 255")
	}
	return &h, nil
}

// words returns all texts of a hello but those of ends.
func (h *hello) words() []string {
	d := &h.Digests
	words := append([]string{
		h.Version, h.Mode, h.Instance, h.Host, h.PublicKey,
		d.Hosts, d.Hyperparameters, d.Command, d.Launcher,
	}, h.Pending...)
	for _, w := range h.Command {
		words = append(words, w.Digest, w.Text)
	}
	if h.Fault != nil {
		words = append(words, h.Fault.Host)
	}
	return words
}

func (e *ended) isInBounds(c *Config) bool {
	return e.Code >= 0 && e.Code <= 255 && e.Age >= 0 && len(e.Text) <= maxText && c.isPrintable(e.Text)
}

// milliseconds returns a number of milliseconds as a duration of at most longestSpan.
func milliseconds(n int64) time.Duration {
	return time.Duration(min(n, longestSpan.Milliseconds())) * time.Millisecond
}
