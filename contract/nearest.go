package contract

import (
	"slices"
	"strings"

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

// NearestName returns the name that needs the fewest changes to become the given one, and the first of
// those if there are several. A name may need one change for every three letters, and at least one. It is
// empty if all names need more. Capitals do not count as changes.
func NearestName(name string, names []string) string {
	best, least := "", 1+max(1, len([]rune(name))/3)
	for _, other := range names {
		if n := editDistance([]rune(strings.ToLower(name)), []rune(strings.ToLower(other))); n < least {
			best, least = other, n
		}
	}
	return best
}

// editDistance returns the number of changes that turn a into b. A change adds, removes or replaces one
// letter, or swaps two neighbours.
func editDistance(a, b []rune) int {
	above, row := make([]int, len(b)+1), make([]int, len(b)+1)
	var twoAbove []int
	for j := range row {
		row[j] = j
	}
	for i := range a {
		twoAbove, above, row = above, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = slices.Min([]int{above[j+1] + 1, row[j] + 1, above[j] + cost})
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], twoAbove[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
