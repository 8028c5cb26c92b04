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

// block is a fenced block of a page. The comment on the line before the fence says what a test does with it:
//
//	<!-- as FILE -->         the block is the content of FILE
//	<!-- prints -->          the commands before it print these lines. The sign … stands for any text;
//	                         on a line of its own it stands for any lines
//	<!-- exits N -->         the commands end with exit code N instead of 0
//	<!-- on IMAGE -->        these lines of a Dockerfile follow FROM IMAGE
//	<!-- not run: REASON --> no test can run it
//	<!-- drawing -->         the block is a picture
//	<!-- held by TEST -->    the test TEST reads the block
//
// Without a comment, a block of sh is run and a block of dockerfile is built. Other blocks need a comment.
type block struct {
	page     string
	line     int
	language string
	role     string // the first words of the comment, such as prints; empty without a comment
	value    string // the rest of the comment: FILE, N, IMAGE, REASON or TEST
	text     string
}

// place returns the page and the line of the fence.
func (b *block) place() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// blocks returns the fenced blocks of a page. An indented block is a mistake, since no comment can say what
// it is.
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
				open.role, open.value = m[1], m[3]
			}
		case line == "```":
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		case strings.HasPrefix(line, "    ") && (i == 0 || lines[i-1] == ""):
			t.Errorf("%s:%d: an indented block, want a fenced one", page, i+1)
		}
	}
	if open != nil {
		t.Errorf("%s: the block has no end", open.place())
	}
	return found
}

// pages returns all pages for readers: README.md, CONTRIBUTING.md and docs/*.md.
func pages(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob(filepath.Join(top, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"}
	for _, path := range docs {
		all = append(all, "docs/"+filepath.Base(path))
	}
	return all
}

// TestPagesCanBeRun checks that every block of every page says what it is, that each block that is not run
// gives a reason, and that there are excusedBlocks of them. Before you change that number, try to make the
// block run.
func TestPagesCanBeRun(t *testing.T) {
	excused := 0
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			switch {
			case b.role == "not run":
				excused++
				if b.value == "" {
					t.Errorf("%s: the block is not run, but gives no reason", b.place())
				}
			case b.role == "held by":
				grep := exec.Command("git", "-C", top, "grep", "-q", "func "+b.value+"(", "--", "*_test.go")
				if grep.Run() != nil {
					t.Errorf("%s: there is no test %s", b.place(), b.value)
				}
			case b.role == "" && b.language != "sh" && b.language != "dockerfile":
				t.Errorf("%s: a block of %q without a comment that says what it is", b.place(), b.language)
			}
		}
	}
	if excused != excusedBlocks {
		t.Errorf("%d blocks are not run, want %d", excused, excusedBlocks)
	}
}

// match reports whether a text contains lines, whole and in their order.
// The sign … stands for any text; on a line of its own it stands for any lines.
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

// TestMatch checks what match takes for the same.
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
			t.Errorf("%q in %q: want %v", c.lines, c.text, c.want)
		}
	}
}

// TestPagesNameTests: every test that a page names exists. go test ends with 0 where no test has the name
// that is asked for.
func TestPagesNameTests(t *testing.T) {
	name := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z][A-Za-z0-9]*`)
	for _, page := range pages(t) {
		text, err := os.ReadFile(filepath.Join(top, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range name.FindAllString(string(text), -1) {
			if !isTest(test) {
				t.Errorf("%s names %s, and there is no such test", page, test)
			}
		}
	}
}

// isTest says whether a test or a fuzzer has a name.
func isTest(name string) bool {
	return exec.Command("git", "-C", top, "grep", "-q", "func "+name+"(", "--", "*_test.go").Run() == nil
}
