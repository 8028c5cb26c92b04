package rendezvous

import "testing"

// TestExplanationIsPutBehindTheFailureItIsAbout, once.
func TestExplanationIsPutBehindTheFailureItIsAbout(t *testing.T) {
	explanations := []string{"rank 1: MPI_Send: invalid rank", "*: no space left"}
	for text, want := range map[string]string{
		"rank 1: exit code 6":                         "rank 1: exit code 6: MPI_Send: invalid rank",
		"rank 1: exit code 6: ValueError":             "rank 1: exit code 6: ValueError; MPI_Send: invalid rank",
		"rank 1: exit code 6: MPI_Send: invalid rank": "rank 1: exit code 6: MPI_Send: invalid rank",
		"rank 12: exit code 6":                        "rank 12: exit code 6: no space left",
		"rank 12: exit code 6: ValueError":            "rank 12: exit code 6: ValueError",
		"lost: its connection was closed":             "lost: its connection was closed",
	} {
		if got := Explained(text, explanations); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
