package contract

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Brief lists as many of the problems that are no warnings as fit into some characters, each one whole, and
// counts the others. Every kind of problem has its turn before a second one of a kind: many problems of one
// kind do not push the others out. It passes each text through mask. The first problem is there even if it
// does not fit.
func (e *InvalidError) Brief(most int, mask func(string) string) string {
	problems := Errors(e.Problems)
	lines := make([]string, len(problems))
	all := len(problems)
	for i, p := range problems {
		lines[i] = mask(p.String())
		var total, errors, warnings int
		if n, _ := fmt.Sscanf(p.Message, moreProblems, &total, &errors, &warnings); n > 0 {
			all += errors - 1 // it stands for those that Limit left out
			lines[i] = ""
		}
	}
	told, room := 0, most-len(fmt.Sprintf(moreErrors, all))-1
	isTold := make([]bool, len(lines))
	for _, i := range inTurns(problems) {
		size := utf8.RuneCountInString(lines[i]) + 1
		if lines[i] == "" || size > room && told > 0 {
			continue
		}
		isTold[i] = true
		told, room = told+1, room-size
	}
	var kept []string
	for i, line := range lines {
		if isTold[i] {
			kept = append(kept, line)
		}
	}
	if told < all {
		kept = append(kept, fmt.Sprintf(moreErrors, all-told))
	}
	return strings.Join(kept, "\n")
}

const moreErrors = "and %d more"

// inTurns returns the indices of the problems: the first of each kind, then the second of each, and so on.
// Problems of a kind are in one file and differ only in their texts in quotes and in their numbers.
func inTurns(problems []Problem) []int {
	specifics := regexp.MustCompile(`"(\\.|[^"\\])*"|[0-9]+`)
	var kinds []string
	ofKind, longest := map[string][]int{}, 0
	for i, p := range problems {
		kind := p.File + ": " + specifics.ReplaceAllString(p.Message, "")
		if len(ofKind[kind]) == 0 {
			kinds = append(kinds, kind)
		}
		ofKind[kind] = append(ofKind[kind], i)
		longest = max(longest, len(ofKind[kind]))
	}
	var order []int
	for turn := range longest {
		for _, kind := range kinds {
			if turn < len(ofKind[kind]) {
				order = append(order, ofKind[kind][turn])
			}
		}
	}
	return order
}
