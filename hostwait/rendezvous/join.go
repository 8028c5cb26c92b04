package rendezvous

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// refusal is why a hello is not taken: with a status that says whether to come again.
type refusal struct {
	status int
	why    string
}

// admit finds the member, or makes one of a host that may join.
func (k *cluster) admit(h *hello, from netip.Addr, now time.Time) (*member, *refusal) {
	m := k.members[h.Host]
	if m != nil && m.Instance == h.Instance {
		return m, nil
	}
	switch {
	case k.released > 0:
		return nil, &refusal{http.StatusServiceUnavailable, fmt.Sprintf("all hosts have started already, and %s was among them", h.Host)}
	case h.Protocol != Protocol:
		return nil, k.mismatch(h, "version", fmt.Sprintf("%s (protocol %d)", h.Version, h.Protocol), fmt.Sprintf("%s (protocol %d)", k.c.Version, Protocol))
	case m != nil && m.broken.IsZero() && !m.ended:
		why := fmt.Sprintf("two hosts say that they are %s: one at %s, and one at %s", h.Host, m.addr, from)
		k.warn(why)
		return nil, &refusal{http.StatusConflict, why}
	case h.Ended == nil && !k.decided: // else one of the two can only say, or hear, why it cannot
		if r := k.compare(h); r != nil {
			return nil, r
		}
	}
	m = &member{hello: *h, addr: from}
	k.members[h.Host] = m
	if skew := now.Sub(time.UnixMicro(h.Clock)); skew.Abs() > clockDifferenceWarned {
		k.warn(fmt.Sprintf("the clock of %s differs from that of %s by %s", h.Host, k.c.leader(), skew.Abs().Round(time.Second)))
	}
	return m, nil
}

// compare holds a host against the leader. Hosts that differ can never be released, so the job ends.
func (k *cluster) compare(h *hello) *refusal {
	mine := k.c.Digests
	if mine == (Digests{}) {
		return nil // the leader is about to say why it cannot
	}
	for _, d := range []struct{ what, theirs, ours string }{
		{"verb", h.Mode, k.c.Mode},
		{"hosts", h.Digests.Hosts, mine.Hosts},
		{"hyperparameters", h.Digests.Hyperparameters, mine.Hyperparameters},
		{"launcher", h.Digests.Launcher, mine.Launcher},
		{"command", h.Digests.Command, mine.Command},
	} {
		if d.what == "launcher" && (d.theirs == "" || d.ours == "") {
			continue // a host of another group, which launches nothing
		}
		if d.theirs != d.ours {
			return k.mismatch(h, d.what, d.theirs, d.ours)
		}
	}
	return nil
}

// mismatch ends the job: both sides get to know what differs.
func (k *cluster) mismatch(h *hello, what, theirs, ours string) *refusal {
	verb := map[bool]string{false: "differs: it is", true: "differ: they are"}[strings.HasSuffix(what, "s")]
	why := fmt.Sprintf("%s %s %s on %s and %s on %s", what, verb, theirs, h.Host, ours, k.c.leader())
	if what == "command" {
		why += " (two images, or two commands in them?)"
	}
	k.members[h.Host] = &member{hello: *h, ended: true} // of whom nothing more will be heard
	now := time.Now()
	k.fail(h.Host, &End{Code: CodeInvalid, Text: why, At: now}, now)
	return &refusal{http.StatusConflict, why}
}

// CodeInvalid is the code of hosts that do not fit together (EX_DATAERR).
const CodeInvalid = 65

// remember keeps why somebody could not join, for whoever looks for a host there, and says it once.
func (k *cluster) remember(from netip.Addr, why string) {
	k.mu.Lock()
	defer k.unlock()
	if _, known := k.tried[from]; known || len(k.tried) > strangers {
		return
	}
	k.tried[from] = why
	k.warn(fmt.Sprintf("refused a connection from %s: %s", from, why))
}
