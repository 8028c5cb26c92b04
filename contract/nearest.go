package contract

import (
	"strings"
	"unicode/utf8"

	"entrain/hparams"
)

// Nearest returns the hint "did you mean NAME?" for a misspelt name. It is empty if none of the names is
// similar.
func Nearest(name string, names []string) string {
	if best := NearestName(name, names); best != "" {
		return "did you mean " + hparams.Quote(best) + "?"
	}
	return ""
}

// maxCompared is how many names are compared for the hints of one file. More take seconds, and the problems
// that have the hints are not told: see maxProblems.
const maxCompared = 1 << 18

// nearest returns the hint of Nearest, and none for a file with very many mistakes.
func (d *document) nearest(name string, names []string) string {
	if d.compared += len(names); d.compared > maxCompared {
		return ""
	}
	return Nearest(name, names)
}

// maxCompareName is the length in bytes of the longest name that is compared with others: the platform
// takes no longer one.
const maxCompareName = 256

// NearestName returns the name that needs the fewest changes to become the given one, and the first of
// those if there are several. A name may need one change for every three letters, and at least one. It is
// empty if all names need more. Capitals do not count as changes.
func NearestName(name string, names []string) string {
	if len(name) > maxCompareName {
		return ""
	}
	wanted := []rune(strings.ToLower(name))
	best, least := "", 1+max(1, len(wanted)/3)
	for _, other := range names {
		// Each letter that one of the two has more is a change.
		if more := utf8.RuneCountInString(other) - len(wanted); max(more, -more) >= least {
			continue
		}
		if n := editDistance(wanted, []rune(strings.ToLower(other))); n < least {
			best, least = other, n
		}
	}
	return best
}

// editDistance returns the number of changes that turn a into b. A change adds, removes or replaces one
// letter, or swaps two neighbours.
func editDistance(a, b []rune) int {
	twoAbove, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		twoAbove, above, row = above, row, twoAbove
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], twoAbove[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
