package tests

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shell is a shell with entrain's completion, set up as its users do it.
type shell struct {
	name  string
	files map[string]string // by their name in the home directory; empty for the output of entrain completion
	words []string          // its command line; HOME stands for the home directory
	env   []string          // further variables, likewise
}

func shells() []shell {
	return []shell{
		{"bash", map[string]string{
			"rc": "PS1='prompt> '\neval \"$(entrain completion bash)\"\n",
		}, []string{"bash", "--rcfile", "HOME/rc", "-i"}, nil},
		{"zsh", map[string]string{
			"functions/_entrain": "", // the first TAB loads it from fpath
			".zshrc": "PS1='prompt> '\nfpath=($ZDOTDIR/functions $fpath)\n" +
				"autoload -Uz compinit\ncompinit -u -D\n",
		}, []string{"zsh", "-o", "no_global_rcs", "-i"}, []string{"ZDOTDIR=HOME"}},
		{"zsh, sourced", map[string]string{
			".zshrc": "PS1='prompt> '\nautoload -Uz compinit\ncompinit -u -D\n" +
				"source <(entrain completion zsh)\n",
		}, []string{"zsh", "-o", "no_global_rcs", "-i"}, []string{"ZDOTDIR=HOME"}},
		{"fish", map[string]string{
			"fish/completions/entrain.fish": "",
			"fish/config.fish":              "function fish_prompt; echo 'prompt> '; end\nset fish_greeting\n",
		}, []string{"fish", "-i"}, []string{"XDG_CONFIG_HOME=HOME", "XDG_DATA_HOME=HOME"}},
	}
}

// TestCompletion types lines with TABs into real shells on a terminal. What the completed line prints shows
// how the shell completed it.
func TestCompletion(t *testing.T) {
	must(t, "scripts/build")
	for _, s := range shells() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			needProgram(t, s.words[0], s.words[0])
			c, dir := s.start(t)
			for _, line := range completions() {
				if err := c.prints(line.keys, line.shows); err != nil {
					t.Errorf("%q: %v", line.keys, err)
					return
				}
			}
			for _, name := range []string{"started", "job/output/failure"} {
				if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
					t.Errorf("TAB has run a trainer: %s exists", name)
				}
			}
		})
	}
}

// completions returns lines with TABs, and what each prints after its completion.
func completions() []step {
	return []step{
		// A verb, and a flag of it.
		{"entrain vers\t--js\t\n", `"arch": `},
		// A flag.
		{"entrain plan --show-s\t-- some-trainer\n", "argv     some-trainer"},
		// A value, behind its flag and joined to it.
		{"entrain plan --format s\t-- other-trainer\n", "exec env -i"},
		{"entrain plan --format=js\t-- third-trainer\n", `"third-trainer"`},
		{"entrain plan --args-style gn\t-- gnu-trainer\n", "argv     --some_thing=1"},
		// The name of a file.
		{"entrain validate --root jo\t\n", "job: the contract is valid"},
		{"entrain validate --format json --root=jo\t\n", `"valid": true`},
		// The name of the trainer, and a word of its own.
		{"entrain plan -- unique-tr\t--made-of words\n", "argv     unique-trainer"},
		{"entrain plan -- sh -- a-fil\t\n", "argv     a-file-of-the-trainer"},
		// A word that is no flag.
		{"entrain completion fi\t| head -1 | tr a-z A-Z\n", "FISH COMPLETION FOR"},
		{"entrain help pl\t| head -1 | tr a-z A-Z\n", "ENTRAIN PLAN - "},
		// TAB runs nothing. Ctrl-U deletes the line.
		{"entrain run --\t\x15\necho still there | tr a-z A-Z\n", "STILL THERE"},
		{"entrain run \t\x15\necho and now | tr a-z A-Z\n", "AND NOW"},
		{"entrain \t\x15\necho even so | tr a-z A-Z\n", "EVEN SO"},
		{"entrain run -- touch \t\x15\necho to the end | tr a-z A-Z\n", "TO THE END"},
		{"entrain run --launcher \t\x15\necho for good | tr a-z A-Z\n", "FOR GOOD"},
		{"entrain run --log-level=\t\x15\necho all over | tr a-z A-Z\n", "ALL OVER"},
		{"entrain __complete run -- touch started\necho done | tr a-z A-Z\n", "DONE"},
	}
}

// start starts the shell in a directory with a contract, a trainer and a file. A trainer that runs leaves a
// file there.
func (s shell) start(t *testing.T) (c *console, dir string) {
	t.Helper()
	dir, home := t.TempDir(), t.TempDir()
	for name, text := range s.files {
		if text == "" {
			text = must(t, "dist/entrain", "completion", s.words[0])
		}
		path := filepath.Join(home, name)
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644))
		if err != nil {
			t.Fatal(err)
		}
	}
	must(t, "dist/entrain", "scaffold", "--hp", "some_thing=1", filepath.Join(dir, "job"))
	must(t, "dist/entrain", "install", filepath.Join(home, "bin")+"/")
	trainer := filepath.Join(home, "bin/unique-trainer")
	for _, path := range []string{trainer, filepath.Join(dir, "a-file-of-the-trainer")} {
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	words := []string{
		"env", "TERM=vt100", "HOME=" + home, "PATH=" + filepath.Join(home, "bin") + ":" + os.Getenv("PATH"),
		"ENTRAIN_ROOT=job", "ENTRAIN_COMMAND=touch started",
	}
	for _, word := range append(s.env, s.words...) {
		words = append(words, strings.ReplaceAll(word, "HOME/", home+"/"))
	}
	for i, word := range words {
		words[i] = strings.ReplaceAll(word, "=HOME", "="+home)
	}
	c, err := (&bench{t: t, program: noInit(), dir: dir}).console(words...)
	if err != nil {
		t.Fatal(err)
	}
	if err := until("the screen shows a prompt", c.shows("prompt> ")); err != nil {
		t.Fatalf("%v; the screen: %q", err, c.screen.String())
	}
	return c, dir
}

// prints types keys, and waits until the new part of the screen shows a text and a prompt behind it.
func (c *console) prints(keys, text string) error {
	before := len(c.screen.String())
	fresh := func() string { return strings.ReplaceAll(c.screen.String()[before:], "\r", "") }
	what := fmt.Sprintf("the screen shows %q and a prompt", text)
	err := errors.Join(c.typedSlowly(keys), until(what, func() bool {
		_, behind, shown := strings.Cut(fresh(), text)
		return shown && strings.Contains(behind, "prompt>")
	}))
	if err != nil {
		return fmt.Errorf("%w; the new part of the screen: %q", err, fresh())
	}
	return nil
}

// typedSlowly types keys, and after each TAB waits up to 3 s until the screen changes. zsh completes nothing
// while more keys are waiting. A TAB without a completion does not change the screen.
func (c *console) typedSlowly(keys string) error {
	for piece := range strings.SplitAfterSeq(keys, "\t") {
		before := len(c.screen.String())
		if err := c.typed(piece); err != nil {
			return err
		}
		if !strings.HasSuffix(piece, "\t") {
			continue
		}
		echo := len(piece) - 1
		deadline := time.Now().Add(3 * time.Second)
		tick := time.NewTicker(5 * time.Millisecond)
		for len(c.screen.String()) <= before+echo && time.Now().Before(deadline) {
			<-tick.C
		}
		tick.Stop()
	}
	return nil
}
