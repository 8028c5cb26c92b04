package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is a fenced block of a page. A comment in the line before the fence says what a test does with it:
//
//	<!-- as FILE -->         it is the content of FILE
//	<!-- prints -->          the last commands print these lines; … stands for any text, and in a line alone for any lines
//	<!-- exits N -->         the commands end with N instead of 0
//	<!-- on IMAGE -->        these lines of a Dockerfile follow FROM IMAGE
//	<!-- not run: REASON --> nobody can run it here
//	<!-- drawing -->         it is a picture
//	<!-- held by TEST -->    another test reads it
//
// Without a comment sh is run, dockerfile is built, and anything else is a mistake.
type block struct {
	page     string
	line     int
	language string
	word     string // of the comment: as, prints, exits, on, not run, drawing, held by; empty for none
	value    string // of the comment
	text     string
}

func (b *block) place() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// blocks are the fenced blocks of a page. An indented block is a mistake: no comment can stand before it.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(top, page))
	if err != nil {
		t.Fatal(err)
	}
	comment := regexp.MustCompile(`^<!-- (as|prints|exits|on|not run|drawing|held by)(:? (.*))? -->$`)
	var found []block
	var open *block
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		switch {
		case open == nil && strings.HasPrefix(line, "```"):
			open = &block{page: page, line: i + 1, language: line[3:]}
			if m := comment.FindStringSubmatch(lines[max(0, i-1)]); m != nil {
				open.word, open.value = m[1], m[3]
			}
		case line == "```":
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		case strings.HasPrefix(line, "    ") && (i == 0 || lines[i-1] == ""):
			t.Errorf("%s:%d: an indented block, expected a fenced one", page, i+1)
		}
	}
	if open != nil {
		t.Errorf("%s: the block has no end", open.place())
	}
	return found
}

// pages are all that a reader is shown.
func pages(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob(filepath.Join(top, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"README.md", "CONTRIBUTING.md"}
	for _, path := range docs {
		all = append(all, "docs/"+filepath.Base(path))
	}
	return all
}

// TestPagesCanBeRun: every block says what it is, and those that nobody can run here are few and known. A page with
// one more has to be looked at, not only counted.
func TestPagesCanBeRun(t *testing.T) {
	excused := 0
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			switch {
			case b.word == "not run":
				excused++
				if b.value == "" {
					t.Errorf("%s: not run, and no reason is given", b.place())
				}
			case b.word == "held by":
				if exec.Command("git", "-C", top, "grep", "-q", "func "+b.value+"(", "--", "*_test.go").Run() != nil {
					t.Errorf("%s: there is no test %s", b.place(), b.value)
				}
			case b.word == "" && b.language != "sh" && b.language != "dockerfile":
				t.Errorf("%s: a block of %q, and no comment says what it is", b.place(), b.language)
			}
		}
	}
	if excused != excusedBlocks {
		t.Errorf("%d blocks are not run, expected %d", excused, excusedBlocks)
	}
}

// match says whether a text holds lines in their order. In a line … stands for any text, and alone for any lines.
func match(text, lines string) bool {
	var pattern strings.Builder
	pattern.WriteString(`(?m)^`)
	for line := range strings.Lines(lines) {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		parts := strings.Split(strings.TrimRight(line, "\n"), "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		pattern.WriteString(strings.Join(parts, `.*`) + `[ \r]*\n`)
	}
	return regexp.MustCompile(pattern.String()).MatchString(text + "\n")
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		text, lines string
		want        bool
	}{
		{"a\nb\nc\n", "b\n", true},
		{"a\nb\nc\n", "a\nc\n", false},
		{"a\nb\nc\n", "a\n…\nc\n", true},
		{"a\nb 12ms\n", "b …ms\n", true},
		{"a\nb 12ms x\n", "b …ms\n", false},
		{"xb\n", "b\n", false},
		{"a.c", "a.c\n", true},
	} {
		if match(c.text, c.lines) != c.want {
			t.Errorf("%q in %q: expected %v", c.lines, c.text, c.want)
		}
	}
}
