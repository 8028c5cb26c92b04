package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// Nearest is the hint that a name may have been meant by another one: the first of those that the fewest letters tell
// from it. It is empty where none looks like it.
func Nearest(name string, names []string) string {
	if best := NearestName(name, names); best != "" {
		return "did you mean " + hparams.Quote(best) + "?"
	}
	return ""
}

// NearestName is the name that Nearest hints at.
func NearestName(name string, names []string) string {
	best, least := "", 1+max(1, len([]rune(name))/3)
	for _, other := range names {
		if n := distance([]rune(strings.ToLower(name)), []rune(strings.ToLower(other))); n < least {
			best, least = other, n
		}
	}
	return best
}

// distance is how many letters have to be put in, taken out, replaced or swapped with their neighbour to make b of a.
func distance(a, b []rune) int {
	above, row := make([]int, len(b)+1), make([]int, len(b)+1)
	var before []int // the row above the one above
	for j := range row {
		row[j] = j
	}
	for i := range a {
		before, above, row = above, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = slices.Min([]int{above[j+1] + 1, row[j] + 1, above[j] + cost})
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
