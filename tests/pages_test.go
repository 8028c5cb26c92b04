package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// excusedBlocks is the number of blocks in all pages that no test can run.
const excusedBlocks = 6

// TestPages runs the blocks of each page word for word and in their order, in one shell and a clean clone, as
// a reader does. For all pages but the README, entrain is in PATH. The image "trainer" is the one that the
// README builds.
func TestPages(t *testing.T) {
	needDocker(t)
	if err := buildExample(); err != nil {
		t.Fatal(err)
	}
	must(t, "docker", "tag", "entrain-test-example", "trainer")
	for _, page := range pages(t) {
		t.Run(page, func(t *testing.T) {
			runPage(t, page, cleanClone(t))
		})
	}
}

// cleanClone copies the files that git does not ignore, as they are now, into a new directory. It has no
// dist.
func cleanClone(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "entrain")
	files := must(t, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for file := range strings.SplitSeq(strings.TrimRight(files, "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(top, file))
		if os.IsNotExist(err) {
			continue // it is deleted, but the deletion is not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(top, file))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runPage makes one script of a page's blocks, runs it in dir, and compares its output with the page.
func runPage(t *testing.T, page, dir string) {
	t.Helper()
	all := blocks(t, page)
	blockDir := t.TempDir()
	var script strings.Builder
	script.WriteString("set -eu\n")
	if page != "README.md" {
		fmt.Fprintf(&script, "PATH=%s:$PATH\n", distDir(t))
	}
	for i, b := range all {
		file := filepath.Join(blockDir, strconv.Itoa(i))
		text := b.text
		if b.role == "on" {
			text = "FROM " + b.value + "\n" + text
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&script, "echo '%s %d'\n%s\n", mark, i, command(&b, file))
	}
	cmd := exec.Command("sh", "-c", script.String())
	cmd.Dir, cmd.WaitDelay = dir, 10*time.Second // a page may leave processes that hold stdout
	cmd.Env = append(os.Environ(), "TMPDIR="+blockDir)
	out, err := cmd.CombinedOutput()
	check(t, all, string(out))
	if err != nil {
		t.Errorf("%s: %v", page, err)
	}
}

// mark stands before the output of each block, followed by the block's index.
const mark = "=== block"

// command returns the command for a block in the page's script. The file holds the text of the block.
func command(b *block, file string) string {
	switch {
	case b.role == "as":
		return fmt.Sprintf("cp %s %s", file, b.value)
	case b.role == "exits":
		return fmt.Sprintf("code=0; (set -eu; . %s) || code=$?; ", file) +
			fmt.Sprintf("[ $code = %s ] || { echo \"exit code $code\"; exit 1; }", b.value)
	case slices.Contains([]string{"not run", "prints", "drawing", "held by"}, b.role):
		return ":"
	case b.language == "dockerfile":
		return fmt.Sprintf("docker build -q -f %s -t entrain-test-page . >/dev/null", file)
	}
	return ". " + file
}

// check compares the output of a page's script with the blocks that show what the commands before them print.
func check(t *testing.T, all []block, out string) {
	t.Helper()
	parts := map[int]string{}
	last := -1
	for part := range strings.SplitSeq(out, mark+" ") {
		head, text, _ := strings.Cut(part, "\n")
		if i, err := strconv.Atoi(strings.TrimSpace(head)); err == nil {
			parts[i], last = text, i
		}
	}
	printed := ""
	for i, b := range all {
		if b.role != "prints" {
			printed = parts[i]
			continue
		}
		if !match(printed, b.text) {
			t.Errorf("%s: the output lacks these lines:\n%s\noutput:\n%s", b.place(), b.text, last3000(printed))
		}
	}
	if last < len(all)-1 && last >= 0 {
		b := all[last]
		t.Errorf("%s: this block failed:\n%s\noutput:\n%s", b.place(), b.text, last3000(parts[last]))
	}
}

// last3000 returns the last 3,000 bytes of a text.
func last3000(text string) string { return text[max(0, len(text)-3000):] }

// distDir returns the absolute path of the directory that holds the binary.
func distDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(top, "dist"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestEntrypointsInTextAreValid checks that entrain accepts every ENTRYPOINT that a page, the help or a
// message shows.
func TestEntrypointsInTextAreValid(t *testing.T) {
	needDocker(t)
	if err := buildExample(); err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	pattern := regexp.MustCompile(`\["(?:/usr/local/bin/)?entrain"(?:, *"[^"]*")*\]`)
	for place, text := range shownTexts(t) {
		for _, words := range pattern.FindAllString(text, -1) {
			shown[words] = place
		}
	}
	if len(shown) < 3 {
		t.Fatalf("only %d ENTRYPOINTs found: the pattern does not match the texts any more", len(shown))
	}
	root := tree(t)
	for words, place := range shown {
		argv := strings.Fields(strings.NewReplacer(`["`, "", `"]`, "", `", "`, " ", `","`, " ").Replace(words))
		if len(argv) < 3 || argv[1] != "run" && argv[1] != "exec" {
			continue // its command comes from a variable or from the image
		}
		plan := []string{"dist/entrain", "plan", "--root", root, "--launcher", "none"}
		if out, code := run(t, append(plan, withoutLauncher(argv[2:])...)...); code != 0 {
			t.Errorf("%s: %s: exit code %d\n%s", place, words, code, out)
		}
	}
}

// withoutLauncher removes the flag --launcher and its value. A plan with it needs the launcher on this
// machine.
func withoutLauncher(words []string) []string {
	for i, word := range words {
		if word == "--launcher" {
			return append(append([]string{}, words[:i]...), words[i+2:]...)
		}
	}
	return words
}
