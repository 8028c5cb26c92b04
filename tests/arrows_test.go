package tests

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestArrows: the page of the architecture has every arrow between two rooms, and no other; and none runs
// back.
func TestArrows(t *testing.T) {
	said := map[string]bool{}
	for _, b := range blocks(t, "docs/architecture.md") {
		if b.word != "held by" || b.value != "TestArrows" {
			continue
		}
		for line := range strings.Lines(b.text) {
			from, to, _ := strings.Cut(strings.TrimSpace(line), " -> ")
			for room := range strings.SplitSeq(to, ", ") {
				said[from+" -> "+room] = true
			}
		}
	}
	knows := importsOfRooms(t)
	for from, rooms := range knows {
		for _, to := range rooms {
			if arrow := from + " -> " + to; !said[arrow] {
				t.Errorf("docs/architecture.md lacks the arrow %s", arrow)
			}
			delete(said, from+" -> "+to)
		}
	}
	for arrow := range said {
		t.Errorf("docs/architecture.md has the arrow %s, and the code has not", arrow)
	}
	if back := strings.Fields(strings.Join(circle(knows), " ")); len(back) > 0 {
		t.Errorf("a circle: %s", strings.Join(back, " -> "))
	}
}

// importsOfRooms are the rooms that each room imports, without tests.
func importsOfRooms(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = top
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	room := func(path string) string {
		if path == "entrain" {
			return "main"
		}
		return strings.TrimPrefix(path, "entrain/")
	}
	knows := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		for _, path := range words[1:] {
			if strings.HasPrefix(path, "entrain/") {
				knows[room(words[0])] = append(knows[room(words[0])], room(path))
			}
		}
	}
	return knows
}

// circle is a way from a room back to the rooms above it: a room below bootstrap that knows bootstrap, or one
// that knows cli. The compiler refuses circles of packages; this finds arrows that lead up.
func circle(knows map[string][]string) []string {
	above := []string{"main", "cli", "bootstrap"}
	for from, rooms := range knows {
		for _, to := range rooms {
			i, j := slices.Index(above, from), slices.Index(above, to)
			if j >= 0 && (i < 0 || i >= j) {
				return []string{from, to}
			}
		}
	}
	return nil
}
