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

// excusedBlocks is how many blocks of all pages nobody can run here.
const excusedBlocks = 6

// TestPages runs what the pages show, word for word and in their order, in a clean clone: each page in one shell, as
// a reader would. On the pages behind the README entrain is in PATH, and the image "trainer" is that of the README.
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

// cleanClone copies what git tracks, as it is now, into a directory. There is no dist in it.
func cleanClone(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "entrain")
	files := must(t, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for file := range strings.SplitSeq(strings.TrimRight(files, "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(top, file))
		if os.IsNotExist(err) {
			continue // it is deleted here, and not committed yet
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

// runPage makes one script of a page's blocks and holds what each of them prints against the page.
func runPage(t *testing.T, page, dir string) {
	t.Helper()
	all := blocks(t, page)
	aside := t.TempDir()
	var script strings.Builder
	script.WriteString("set -eu\n")
	if page != "README.md" {
		fmt.Fprintf(&script, "PATH=%s:$PATH\n", distDir(t))
	}
	for i, b := range all {
		file := filepath.Join(aside, strconv.Itoa(i))
		text := b.text
		if b.word == "on" {
			text = "FROM " + b.value + "\n" + text
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&script, "echo '%s %d'\n%s\n", mark, i, command(&b, file))
	}
	cmd := exec.Command("sh", "-c", script.String())
	cmd.Dir, cmd.WaitDelay = dir, 10*time.Second // for what a page leaves behind
	cmd.Env = append(os.Environ(), "TMPDIR="+aside)
	out, err := cmd.CombinedOutput()
	check(t, all, string(out))
	if err != nil {
		t.Errorf("%s: %v", page, err)
	}
}

// mark begins the output of a block.
const mark = "=== block"

// command is what a block becomes in the page's script.
func command(b *block, file string) string {
	switch {
	case b.word == "as":
		return fmt.Sprintf("cp %s %s", file, b.value)
	case b.word == "exits":
		return fmt.Sprintf("code=0; (set -eu; . %s) || code=$?; [ $code = %s ] || { echo \"exit code $code\"; exit 1; }", file, b.value)
	case slices.Contains([]string{"not run", "prints", "drawing", "held by"}, b.word):
		return ":"
	case b.language == "dockerfile":
		return fmt.Sprintf("docker build -q -f %s -t entrain-test-page . >/dev/null", file)
	}
	return ". " + file
}

// check finds in a page's output what its blocks say that the commands before them print.
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
	said := ""
	for i, b := range all {
		if b.word != "prints" {
			said = parts[i]
			continue
		}
		if !match(said, b.text) {
			t.Errorf("%s: these lines are not in what was printed:\n%s\nprinted:\n%s", b.place(), b.text, last3000(said))
		}
	}
	if last < len(all)-1 && last >= 0 {
		t.Errorf("%s: this block failed:\n%s\nprinted:\n%.3000s", all[last].place(), all[last].text, last3000(parts[last]))
	}
}

func last3000(text string) string { return text[max(0, len(text)-3000):] }

// distDir is where the binary is.
func distDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(top, "dist"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestEntrypointsInText: every ENTRYPOINT that a page, the help or a message shows is a command line that entrain takes.
func TestEntrypointsInText(t *testing.T) {
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
		t.Fatalf("only %d: the pattern finds no more", len(shown))
	}
	root := tree(t)
	for words, place := range shown {
		argv := strings.Fields(strings.NewReplacer(`["`, "", `"]`, "", `", "`, " ", `","`, " ").Replace(words))
		if len(argv) < 2 || argv[1] != "run" && argv[1] != "exec" {
			continue // a bare one, whose command comes from elsewhere
		}
		plan := append([]string{"dist/entrain", "plan", "--root", root, "--launcher", "none"}, withoutLauncher(argv[2:])...)
		if out, code := run(t, plan...); code != 0 {
			t.Errorf("%s: %s: exit code %d\n%s", place, words, code, out)
		}
	}
}

// withoutLauncher leaves out the flag that says what starts the ranks: the plan needs a launcher for that.
func withoutLauncher(words []string) []string {
	for i, word := range words {
		if word == "--launcher" {
			return append(append([]string{}, words[:i]...), words[i+2:]...)
		}
	}
	return words
}
