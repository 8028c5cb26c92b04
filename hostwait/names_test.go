package hostwait

import (
	"errors"
	"fmt"
	"testing"
)

// TestNames: a line names at most ten hosts, in the order of their numbers, and says each reason once.
func TestNames(t *testing.T) {
	absent, late := errors.New("has not joined"), errors.New("is late")
	var many []Missing
	for _, i := range []int{1, 10, 11, 12, 2, 3, 4, 5, 6, 7, 8, 9} {
		many = append(many, Missing{fmt.Sprintf("algo-%d", i), absent})
	}
	const nine = "algo-1, algo-2, algo-3, algo-4, algo-5, algo-6, algo-7, "
	const ten = nine + "algo-8, algo-9 and algo-10 (has not joined)"
	for _, c := range []struct {
		missing []Missing
		number  int
		want    string
	}{
		{[]Missing{{"algo-2", absent}}, 0, "algo-2 (has not joined)"},
		{[]Missing{{"algo-10", absent}, {"algo-2", nil}}, 0, "algo-2 (no answer yet), algo-10 (has not joined)"},
		{
			[]Missing{{"algo-4", absent}, {"algo-3", late}, {"algo-2", absent}},
			3,
			"algo-2 and algo-4 (has not joined), algo-3 (is late)",
		},
		{many, 0, ten + ", and 2 more"},
		{many[:10], 2000, nine + "algo-10, algo-11 and algo-12 (has not joined), and 1990 more"},
	} {
		if got := Names(c.missing, c.number); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
