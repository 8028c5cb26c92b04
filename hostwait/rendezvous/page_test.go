package rendezvous

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// examples are the JSON values of the blocks in docs/architecture.md that a test holds.
func examples(t *testing.T) (all []json.RawMessage) {
	t.Helper()
	page, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(string(page), "<!-- held by "+t.Name()+" -->\n```json\n") {
		text, _, found := strings.Cut(part, "\n```\n")
		if !found || !strings.HasPrefix(text, "{") {
			continue
		}
		for values := json.NewDecoder(strings.NewReader(text)); ; {
			var value json.RawMessage
			if err := values.Decode(&value); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			all = append(all, value)
		}
	}
	if len(all) == 0 {
		t.Fatal("docs/architecture.md has no example")
	}
	return all
}

// strictly reads JSON that may have no field which the type does not have.
func strictly(t *testing.T, text json.RawMessage, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Errorf("%s: %v", text, err)
	}
}

// TestHelloExamples: a leader takes the hellos of the page.
func TestHelloExamples(t *testing.T) {
	for _, text := range examples(t) {
		strictly(t, text, &hello{})
		h, err := readHello(strings.NewReader(string(text)), &Config{Printable: printable})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if h.Protocol != Protocol {
			t.Errorf("%s: protocol %d, expected %d", text, h.Protocol, Protocol)
		}
	}
}

// TestViewExamples: a worker reads the views of the page.
func TestViewExamples(t *testing.T) {
	for _, text := range examples(t) {
		var v view
		strictly(t, text, &v)
		if v.Members != nil {
			var rows []row
			strictly(t, v.Members, &rows)
			if _, err := membersOf(rows, []string{"algo-1", "algo-2", "algo-3"}); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}
