package rendezvous

import (
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strconv"
)

// Word is a word of the trainer's command, as a host tells it to the leader.
type Word struct {
	Digest string `json:"digest"`
	Text   string `json:"text"` // for people: without secrets, and perhaps cut
}

const (
	// maxCommand is how many words of a command a host tells. It bounds the hello.
	maxCommand = 200
	// maxTold is how many words of a host, and how many hosts, the leader names at most in its log.
	maxTold = 3
)

// bounded returns the words that a host tells: all, or the first ones and a word that stands for the others.
func bounded(words []Word) []Word {
	if len(words) <= maxCommand {
		return words
	}
	first, rest := words[:maxCommand-1], words[maxCommand-1:]
	h := fnv.New32a()
	for _, w := range rest {
		_, _ = io.WriteString(h, w.Digest+",") // never fails
	}
	text := fmt.Sprintf("(this word or one of the %d after it)", len(rest)-1)
	return append(slices.Clone(first), Word{Digest: strconv.FormatUint(uint64(h.Sum32()), 16), Text: text})
}

// compareCommands warns of the words in which a host's command differs from the leader's. That may be meant,
// as with a number of the host in it, so it ends no job: Digests.Command alone does that.
func (k *roster) compareCommands(h *hello) {
	mine := bounded(k.config.Command)
	if len(mine) == 0 || len(h.Command) == 0 { // a host that has failed already has no command
		return
	}
	differing := 0
	for i := range max(len(mine), len(h.Command)) {
		theirs, ours := wordAt(h.Command, i), wordAt(mine, i)
		if theirs.Digest == ours.Digest {
			continue
		}
		if differing++; differing <= maxTold && k.differing < maxTold {
			k.queueWarning("the command's " + k.differingWord(h, i, theirs, ours))
		}
	}
	if differing == 0 {
		return
	}
	if k.differing++; differing > maxTold && k.differing <= maxTold {
		k.queueWarning(fmt.Sprintf("%d more words of the command of %s differ", differing-maxTold, h.Host))
	}
}

// differingWord names a word in which a host's command differs from the leader's.
func (k *roster) differingWord(h *hello, i int, theirs, ours Word) string {
	return fmt.Sprintf("word %d differs: %s has %s, and %s has %s",
		i+1, h.Host, theirs.shown(), k.config.leaderHost(), ours.shown())
}

// differingProgram names the programs of two commands. It is empty where their words do not show the
// difference.
func (k *roster) differingProgram(h *hello) string {
	theirs, ours := wordAt(h.Command, 0), wordAt(k.config.Command, 0)
	if theirs.Digest == ours.Digest {
		return ""
	}
	return k.differingWord(h, 0, theirs, ours)
}

// tellDiffering warns of the hosts that compareCommands has not named.
func (k *roster) tellDiffering() {
	if n := k.differing - maxTold; n > 0 {
		leader := k.config.leaderHost()
		k.queueWarning(fmt.Sprintf("the commands of %d more hosts differ from that of %s", n, leader))
	}
}

// wordAt returns the zero Word for a word that the command does not have.
func wordAt(words []Word, i int) Word {
	if i < len(words) {
		return words[i]
	}
	return Word{}
}

func (w Word) shown() string {
	if w == (Word{}) {
		return "none"
	}
	return strconv.Quote(w.Text)
}
