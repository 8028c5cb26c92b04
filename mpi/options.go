package mpi

import (
	"slices"
	"strings"
)

// options gives the user's options. It replaces --NCCL_DEBUG, a word of the SageMaker Training Toolkit that
// no launcher knows, with the option by which the launcher sets a variable for the ranks.
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

// debugLevel reads --NCCL_DEBUG=V or --NCCL_DEBUG V at the start of words. used is the number of words that
// it took.
func debugLevel(words []string) (value string, used int) {
	if value, ok := strings.CutPrefix(words[0], "--NCCL_DEBUG="); ok {
		return value, 1
	}
	if words[0] == "--NCCL_DEBUG" && len(words) > 1 {
		return words[1], 2
	}
	return "", 0
}

// EnvNames gives the names of the variables that options set for the ranks: by -x of Open MPI, by -genv,
// -env, -genvlist and -envlist of Hydra, and by the toolkit's --NCCL_DEBUG. A rank keeps the launcher's
// values of them. A name may end in *: Open MPI then passes all variables whose names begin so.
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
		switch optionName(word) {
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

// mcaParams gives the names of the parameters that options set, as by --mca NAME VALUE of Open MPI.
func mcaParams(options []string) []string {
	var names []string
	for i, word := range options[:max(0, len(options)-1)] {
		if isMCA(optionName(word)) {
			names = append(names, options[i+1])
		}
	}
	return names
}

// isMCA says whether an option sets a parameter of Open MPI, PRRTE or PMIx. A g stands for all programs.
func isMCA(option string) bool {
	return slices.Contains([]string{"mca", "omca", "prtemca", "pmixmca"}, strings.TrimPrefix(option, "g"))
}

// hasOption says whether words hold one of the options. One dash or two make no difference, as for every
// launcher. The option's value may be in the same word (-hosts=a,b) or in the next.
func hasOption(words []string, options ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		name, _, _ := strings.Cut(optionName(word), "=")
		return slices.Contains(options, name)
	})
}

// optionName is the option without its dashes. It is empty for a word that is not an option.
func optionName(word string) string {
	rest, ok := strings.CutPrefix(word, "-")
	if !ok {
		return ""
	}
	return strings.TrimPrefix(rest, "-")
}
