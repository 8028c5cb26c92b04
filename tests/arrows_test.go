package tests

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestArrows checks that docs/architecture.md lists exactly the arrows between the rooms, and that none of
// them leads up. An arrow from a room to another means that the first imports the second.
func TestArrows(t *testing.T) {
	listed := map[string]bool{}
	for _, b := range blocks(t, "docs/architecture.md") {
		if b.role != "held by" || b.value != "TestArrows" {
			continue
		}
		for line := range strings.Lines(b.text) {
			from, to, _ := strings.Cut(strings.TrimSpace(line), " -> ")
			for room := range strings.SplitSeq(to, ", ") {
				listed[from+" -> "+room] = true
			}
		}
	}
	imports := importsOfRooms(t)
	for from, rooms := range imports {
		for _, to := range rooms {
			if arrow := from + " -> " + to; !listed[arrow] {
				t.Errorf("docs/architecture.md lacks the arrow %s", arrow)
			}
			delete(listed, from+" -> "+to)
		}
	}
	for arrow := range listed {
		t.Errorf("docs/architecture.md has the arrow %s, but no such import exists", arrow)
	}
	if arrow := arrowUp(imports); arrow != "" {
		t.Errorf("the arrow %s leads up", arrow)
	}
}

// importsOfRooms returns the rooms that each room imports. Imports of tests do not count.
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
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		for _, path := range words[1:] {
			if strings.HasPrefix(path, "entrain/") {
				imports[room(words[0])] = append(imports[room(words[0])], room(path))
			}
		}
	}
	return imports
}

// arrowUp returns an arrow that leads from a room to one above it, such as from a room below bootstrap to
// bootstrap or to cli. It returns "" if there is none. The compiler refuses circles of packages anyway.
func arrowUp(imports map[string][]string) string {
	above := []string{"main", "cli", "bootstrap"}
	for from, rooms := range imports {
		for _, to := range rooms {
			i, j := slices.Index(above, from), slices.Index(above, to)
			if j >= 0 && (i < 0 || i >= j) {
				return from + " -> " + to
			}
		}
	}
	return ""
}
