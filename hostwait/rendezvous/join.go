package rendezvous

import (
	"cmp"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// refusal is the reason why the leader refuses a hello, with an HTTP status. Only after 503 the host tries
// again.
type refusal struct {
	status int
	why    string
}

// findOrAdd returns the member that says hello. It adds a host that may join.
func (k *roster) findOrAdd(h *hello, from netip.Addr, now time.Time) (*member, *refusal) {
	m := k.members[h.Host]
	if m != nil && m.Instance == h.Instance {
		return m, nil
	}
	switch {
	case k.released > 0:
		why := fmt.Sprintf("all hosts have started already, and %s was among them", h.Host)
		return nil, &refusal{http.StatusServiceUnavailable, why}
	case h.Protocol != Protocol:
		theirs := fmt.Sprintf("%s (protocol %d)", h.Version, h.Protocol)
		ours := fmt.Sprintf("%s (protocol %d)", k.config.Version, Protocol)
		return nil, k.refuseMismatch(h, "version", theirs, ours)
	case m != nil && m.brokenAt.IsZero() && !m.ended:
		why := fmt.Sprintf("two hosts say that they are %s: one at %s, and one at %s", h.Host, m.addr, from)
		k.queueWarning(why)
		return nil, &refusal{http.StatusConflict, why}
	case h.Ended == nil && !k.decided: // otherwise the host only reports its end, or only learns the decision
		if r := k.compareDigests(h); r != nil {
			return nil, r
		}
		k.compareCommands(h)
	}
	m = &member{hello: *h, addr: from}
	k.members[h.Host] = m
	if skew := now.Sub(time.UnixMicro(h.Clock)).Abs(); skew > clockDifferenceWarned && k.acceptTrouble == "" {
		k.queueWarning(fmt.Sprintf("the clock of %s differs from that of %s by %s",
			h.Host, k.config.leaderHost(), skew.Round(time.Second)))
	}
	return m, nil
}

// compareDigests compares a host with the leader. Hosts that differ can never be released, so a difference
// ends the job.
func (k *roster) compareDigests(h *hello) *refusal {
	mine := k.config.Digests
	if mine == (Digests{}) {
		return nil // the leader has failed to read its contract, and will say so itself
	}
	for _, d := range []struct{ what, theirs, ours string }{
		{"verb", h.Mode, k.config.Mode},
		{"hosts", h.Digests.Hosts, mine.Hosts},
		{"hyperparameters", h.Digests.Hyperparameters, mine.Hyperparameters},
		{"launcher", h.Digests.Launcher, mine.Launcher},
		{"--until", cmp.Or(h.Digests.Until, "all"), cmp.Or(mine.Until, "all")},
		{"--max-restarts", cmp.Or(h.Digests.MaxRestarts, "0"), cmp.Or(mine.MaxRestarts, "0")},
		{"--args-style", h.Digests.ArgsStyle, mine.ArgsStyle},
		{"command", h.Digests.Command, mine.Command},
	} {
		if d.what == "launcher" && (d.theirs == "" || d.ours == "") {
			continue // a host of another instance group starts no ranks
		}
		if d.theirs != d.ours {
			return k.refuseMismatch(h, d.what, d.theirs, d.ours)
		}
	}
	return nil
}

// refuseMismatch refuses a host that differs from the leader, and ends the job. Both hosts learn what
// differs.
func (k *roster) refuseMismatch(h *hello, what, theirs, ours string) *refusal {
	verb := "differs: it is"
	if strings.HasSuffix(what, "s") && !strings.HasPrefix(what, "--") {
		verb = "differ: they are"
	}
	why := fmt.Sprintf("%s %s %s on %s and %s on %s", what, verb, theirs, h.Host, ours, k.config.leaderHost())
	if what == "command" {
		if text := k.differingProgram(h); text != "" {
			why = "the command's " + text
		}
		why += " (two images, or two commands in them?)"
	}
	k.members[h.Host] = &member{hello: *h, ended: true, left: true} // it will not say hello again
	now := time.Now()
	k.noteFailure(h.Host, &End{Code: CodeInvalid, Text: why, At: now}, now)
	return &refusal{http.StatusConflict, why}
}

// CodeInvalid is the exit code of a job whose hosts differ (65, EX_DATAERR in sysexits.h).
const CodeInvalid = 65

// noteRefusal notes why the leader refused a peer, for the messages about missing hosts. It warns once for
// each address, and forgets further addresses after maxStrangers.
func (k *roster) noteRefusal(from netip.Addr, why string) {
	k.mu.Lock()
	defer k.unlockAndWarn()
	if _, known := k.refused[from]; known || len(k.refused) > maxStrangers {
		return
	}
	k.refused[from] = why
	k.queueWarning(fmt.Sprintf("refused a connection from %s: %s", from, why))
}
