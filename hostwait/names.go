package hostwait

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxNamed is the number of missing hosts that Names names. A line with hundreds of names cannot be read.
const maxNamed = 10

// Names names missing hosts and their reasons in one line, in the order of ByNumber. It names the first ten,
// and says how many more are missing. number is the number of all that are missing, if missing may hold only
// the first of them. Hosts with the same reason stand together, and the reason is said once.
func Names(missing []Missing, number int) string {
	inOrder := slices.SortedStableFunc(slices.Values(missing), func(a, b Missing) int {
		return ByNumber(a.Host, b.Host)
	})
	inOrder = inOrder[:min(len(inOrder), maxNamed)]
	var reasons []string
	hosts := map[string][]string{} // by reason
	for _, m := range inOrder {
		why := m.reason()
		if hosts[why] == nil {
			reasons = append(reasons, why)
		}
		hosts[why] = append(hosts[why], m.Host)
	}
	parts := make([]string, 0, len(reasons)+1)
	for _, why := range reasons {
		parts = append(parts, fmt.Sprintf("%s (%s)", enumerate(hosts[why]), why))
	}
	if more := max(number, len(missing)) - len(inOrder); more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

func (m Missing) String() string { return fmt.Sprintf("%s (%s)", m.Host, m.reason()) }

func (m Missing) reason() string {
	if m.Err == nil {
		return "no answer yet"
	}
	return m.Err.Error()
}

// enumerate joins names as a sentence does: "a, b and c".
func enumerate(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// ByNumber compares two names of hosts by the numbers at their ends: algo-2 comes before algo-10. Names
// without a number come first.
func ByNumber(a, b string) int { return cmp.Compare(numberOf(a), numberOf(b)) }

// numberOf returns the number at the end of a name, and -1 for a name without one.
func numberOf(name string) int {
	digits := name[len(strings.TrimRight(name, "0123456789")):]
	n, err := strconv.Atoi(digits)
	if err != nil {
		return -1
	}
	return n
}
