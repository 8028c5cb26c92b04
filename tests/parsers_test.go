package tests

import (
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// parserRow is a row of the table in docs/parsers.md.
type parserRow struct{ parser, settings, program string }

// parserRows reads the table in docs/parsers.md.
func parserRows(t *testing.T) []parserRow {
	t.Helper()
	_, rest, _ := strings.Cut(read(t, top, "docs/parsers.md"), "<!-- parsers -->\n")
	table, _, found := strings.Cut(rest, "<!-- end of parsers -->")
	if !found {
		t.Fatal("docs/parsers.md has no table of parsers")
	}
	row := regexp.MustCompile("(?m)^\\| ([^|]+) \\| [^|]+ \\| `([^`]+)` \\| (?:`([^`]+)` )?\\|$")
	var rows []parserRow
	for _, m := range row.FindAllStringSubmatch(table, -1) {
		rows = append(rows, parserRow{m[1], m[2], m[3]})
	}
	if lines := strings.Count(table, "\n") - 2; len(rows) != lines {
		t.Fatalf("%d rows of %d can be read", len(rows), lines)
	}
	return rows
}

// Each parser of the table gets all values of the page's job right with the settings of its row.
func TestParsersGetTheirValuesRight(t *testing.T) {
	const right = "10 10 a b -5 true false 1,2 4\n"
	page := read(t, top, "docs/parsers.md")
	job := regexp.MustCompile("(?s)`(\\{\"lr\".*?\\})`").FindStringSubmatch(page)
	if job == nil {
		t.Fatal("docs/parsers.md shows no job")
	}
	dir := t.TempDir()
	entrain, root := filepath.Join(dir, "entrain"), filepath.Join(dir, "job")
	must(t, "go", "build", "-o", entrain, ".")
	must(t, entrain, "scaffold", root)
	hyperparameters := filepath.Join(root, "input/config/hyperparameters.json")
	if err := os.WriteFile(hyperparameters, []byte(job[1]), 0o644); err != nil {
		t.Fatal(err)
	}
	tested, parsers := 0, map[string]bool{}
	for _, row := range parserRows(t) {
		parsers[row.parser] = true
		if row.program == "" {
			continue
		}
		tested++
		t.Run(row.program, func(t *testing.T) {
			words := append([]string{entrain, "run", "--log-level", "error", "--root", root, "--args-style"},
				strings.Fields(row.settings)...)
			words = append(append(words, "--"), parserProgram(t, row.program)...)
			if out, code := run(t, words...); code != 0 || out != right {
				t.Errorf("%s with %s: exit code %d, printed %q, want %q", row.parser, row.settings, code, out, right)
			}
		})
	}
	if len(parsers) < 24 || tested < 20 {
		t.Errorf("%d parsers and %d tests, want 24 and 20", len(parsers), tested)
	}
}

// parserProgram returns the command of a trainer in tests/parsers. It builds the trainer if that is needed.
func parserProgram(t *testing.T, program string) []string {
	t.Helper()
	name, parser, _ := strings.Cut(program, " ")
	switch name {
	case "parsers.py":
		const python = "/usr/bin/python3" // the one that has Debian's modules
		module, _, _ := strings.Cut(parser, "-")
		if out, err := exec.Command(python, "-c", "import "+module).CombinedOutput(); err != nil {
			skip(t, fmt.Sprintf("no module %s: apt-get install python3-%s: %s", module, module, out))
		}
		return []string{python, filepath.Join(absoluteTop(t), "tests/parsers", name), parser}
	case "parsers":
		binary := cached(t, "go/main.go", "go/go.sum")
		buildOnce(t, binary, "go", "build", "-C", "tests/parsers/go", "-o", binary, ".")
		return []string{binary, parser}
	}
	needProgram(t, "g++", "g++")
	binary := cached(t, name+".cc", "show.h")
	abseil, _ := filepath.Glob("/usr/lib/*/libabsl_*.a") // each needs many of the others
	libraries := map[string][]string{
		"gflags": {"-lgflags"}, "boost": {"-lboost_program_options"},
		"abseil": slices.Concat([]string{"-Wl,--start-group"}, abseil, []string{"-Wl,--end-group"}),
	}
	buildOnce(t, binary, append([]string{"g++", "-O0", "-o", binary, "tests/parsers/" + name + ".cc"},
		libraries[name]...)...)
	return []string{binary}
}

// buildOnce builds a binary that is not there yet. A missing library skips the test.
func buildOnce(t *testing.T, binary string, words ...string) {
	t.Helper()
	if _, err := os.Stat(binary); err == nil {
		return
	}
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, code := run(t, words...); code != 0 {
		missing := []string{"No such file or directory", "cannot find -l", "dial tcp", "module lookup disabled"}
		if slices.ContainsFunc(missing, func(text string) bool { return strings.Contains(out, text) }) {
			skip(t, "a library is missing; scripts/test installs it: "+out)
		}
		t.Fatalf("%v: exit code %d\n%s", words, code, out)
	}
}

// cached returns the path of a binary that is made from sources in tests/parsers. It differs for other
// sources.
func cached(t *testing.T, sources ...string) string {
	t.Helper()
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := crc32.NewIEEE()
	for _, source := range sources {
		fmt.Fprint(sum, read(t, top, "tests/parsers", source))
	}
	name := strings.TrimSuffix(filepath.Base(sources[0]), filepath.Ext(sources[0]))
	return filepath.Join(dir, "entrain", fmt.Sprintf("parser-%s-%08x", name, sum.Sum32()))
}

func absoluteTop(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(top)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
