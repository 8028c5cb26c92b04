package mpi

import (
	"slices"
	"strings"
)

// options are the user's, with the toolkit's own word --NCCL_DEBUG, which no launcher knows, put as the family's way
// of setting a variable for the ranks.
func (l Launch) options() []string {
	var words []string
	for i := 0; i < len(l.Options); i++ {
		value, used := debugLevel(l.Options[i:])
		switch {
		case used == 0:
			words = append(words, l.Options[i])
			continue
		case l.Launcher.hydra():
			words = append(words, "-genv", "NCCL_DEBUG", value)
		default:
			words = append(words, "-x", "NCCL_DEBUG="+value)
		}
		i += used - 1
	}
	return words
}

// debugLevel reads --NCCL_DEBUG=V or --NCCL_DEBUG V at the front of words, and says how many words it took.
func debugLevel(words []string) (value string, used int) {
	if value, ok := strings.CutPrefix(words[0], "--NCCL_DEBUG="); ok {
		return value, 1
	}
	if words[0] == "--NCCL_DEBUG" && len(words) > 1 {
		return words[1], 2
	}
	return "", 0
}

// EnvNames are the variables that options set for the ranks, so that a rank keeps the launcher's value of them: by
// -x of Open MPI, -genv, -env, -genvlist and -envlist of Hydra, and the toolkit's --NCCL_DEBUG. A name may end in the *
// with which Open MPI passes all that begin so.
func EnvNames(options []string) []string {
	var names []string
	add := func(name string) {
		name, _, _ = strings.Cut(name, "=")
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for i, word := range options {
		if _, used := debugLevel(options[i:]); used > 0 {
			add("NCCL_DEBUG")
		}
		if i+1 == len(options) {
			break
		}
		switch bare(word) {
		case "x", "genv", "env":
			add(options[i+1])
		case "genvlist", "envlist":
			for name := range strings.SplitSeq(options[i+1], ",") {
				add(name)
			}
		}
	}
	return names
}

// has says whether one of the options is among words: with one dash or two, which every launcher takes alike, and with
// its value in the same word (-hosts=a,b) or in the next.
func has(words []string, options ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		name, _, _ := strings.Cut(bare(word), "=")
		return slices.Contains(options, name)
	})
}

// bare is an option without its dashes, and nothing for a word that is none.
func bare(word string) string {
	rest, ok := strings.CutPrefix(word, "-")
	if !ok {
		return ""
	}
	return strings.TrimPrefix(rest, "-")
}
