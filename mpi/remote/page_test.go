package remote

import (
	"os"
	"strings"
	"testing"
)

// TestSocketExamples: the lines of docs/architecture.md are those that go over the socket, in their order.
func TestSocketExamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "<!-- held by TestSocketExamples -->\n```json\n")
	block, _, _ = strings.Cut(block, "```\n")
	shown := strings.Split(strings.TrimSpace(block), "\n")
	if len(shown) != 7 {
		t.Fatalf("%d examples, expected 7", len(shown))
	}
	call, err := readRsh(newLineReader(strings.NewReader(shown[0] + "\n")))
	if err != nil || call.Host != "algo-2" || strings.Join(call.words(), " ") != "orted -mca" {
		t.Errorf("%s: %+v, %v", shown[0], call, err)
	}
	var end rshEnd
	if err := newLineReader(strings.NewReader(shown[1] + "\n")).read(&end); err != nil {
		t.Errorf("%s: %v", shown[1], err)
	}
	if rank, err := readRank(newLineReader(strings.NewReader(shown[2] + "\n"))); err != nil || rank.Rank != 4 {
		t.Errorf("%s: %+v, %v", shown[2], rank, err)
	}
	for i, want := range []string{orderStop, orderLeave} {
		var order rankOrder
		if err := newLineReader(strings.NewReader(shown[4+i] + "\n")).read(&order); err != nil || order.Do != want {
			t.Errorf("%s: %+v, %v, expected %q", shown[4+i], order, err, want)
		}
	}
	pipe, err := readEnd(newLineReader(strings.NewReader(shown[3] + "\n")))
	if err != nil || pipe.Pipe != 5 {
		t.Errorf("%s: %+v, %v", shown[3], pipe, err)
	}
	rankEnd, err := readEnd(newLineReader(strings.NewReader(shown[6] + "\n")))
	if err != nil || rankEnd.Code != 7 || rankEnd.Text == "" {
		t.Errorf("%s: %+v, %v", shown[6], rankEnd, err)
	}
}
