package tests

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shell is a shell with entrain's completion, set up as its users do, and how that is started.
type shell struct {
	name  string
	files map[string]string // by their name in the shell's home
	words []string
	env   []string // HOME stands for its home
}

func shells() []shell {
	return []shell{
		{"bash", map[string]string{"rc": "PS1='prompt> '\neval \"$(entrain completion bash)\"\n"}, []string{"bash", "--rcfile", "HOME/rc", "-i"}, nil},
		{"zsh", map[string]string{
			"functions/_entrain": "", // from fpath: the function is loaded by the first TAB
			".zshrc":             "PS1='prompt> '\nfpath=($ZDOTDIR/functions $fpath)\nautoload -Uz compinit\ncompinit -u -D\n",
		}, []string{"zsh", "-o", "no_global_rcs", "-i"}, []string{"ZDOTDIR=HOME"}},
		{"zsh, sourced", map[string]string{
			".zshrc": "PS1='prompt> '\nautoload -Uz compinit\ncompinit -u -D\nsource <(entrain completion zsh)\n",
		}, []string{"zsh", "-o", "no_global_rcs", "-i"}, []string{"ZDOTDIR=HOME"}},
		{"fish", map[string]string{
			"fish/completions/entrain.fish": "",
			"fish/config.fish":              "function fish_prompt; echo 'prompt> '; end\nset fish_greeting\n",
		}, []string{"fish", "-i"}, []string{"XDG_CONFIG_HOME=HOME", "XDG_DATA_HOME=HOME"}},
	}
}

// TestCompletion: what TAB gives in the shells themselves, on a terminal. Each line is typed as it is, and what it prints
// shows what it had become.
func TestCompletion(t *testing.T) {
	must(t, "scripts/build")
	for _, s := range shells() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(s.words[0]); err != nil {
				t.Fatalf("%s is not installed: apt-get install %s", s.words[0], s.words[0])
			}
			c, dir := s.start(t)
			for _, line := range completed() {
				if err := c.gives(line.keys, line.shows); err != nil {
					t.Errorf("%q: %v", line.keys, err)
					return
				}
			}
			for _, name := range []string{"started", "job/output/failure"} {
				if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
					t.Errorf("TAB has run something: there is %s", name)
				}
			}
		})
	}
}

// completed are lines, and what is printed once TAB has completed them.
func completed() []step {
	return []step{
		{"entrain vers\t--js\t\n", `"arch": `},                                        // a verb, and a flag of it
		{"entrain plan --show-s\t-- some-trainer\n", "argv     some-trainer"},         // a flag
		{"entrain plan --format s\t-- other-trainer\n", "exec env -i"},                // a value
		{"entrain plan --format=js\t-- third-trainer\n", `"third-trainer"`},           // one that is joined to its flag
		{"entrain plan --args-style gn\t-- gnu-trainer\n", "argv     --some_thing=1"}, //
		{"entrain validate --root jo\t\n", "job: the contract is valid"},              // a file's name
		{"entrain validate --format json --root=jo\t\n", `"valid": true`},             //
		{"entrain plan -- unique-tr\t--made-of words\n", "argv     unique-trainer"},   // the trainer's own name
		{"entrain plan -- sh -- a-fil\t\n", "argv     a-file-of-the-trainer"},         // and its words
		{"entrain completion fi\t| head -1 | tr a-z A-Z\n", "FISH COMPLETION FOR"},    // a word that is no flag
		{"entrain run --\t\x15\necho still there | tr a-z A-Z\n", "STILL THERE"},      // nothing of this is run
		{"entrain run \t\x15\necho and now | tr a-z A-Z\n", "AND NOW"},                //
		{"entrain \t\x15\necho even so | tr a-z A-Z\n", "EVEN SO"},                    //
		{"entrain run -- touch \t\x15\necho to the end | tr a-z A-Z\n", "TO THE END"}, //
		{"entrain run --launcher \t\x15\necho for good | tr a-z A-Z\n", "FOR GOOD"},   //
		{"entrain run --log-level=\t\x15\necho all over | tr a-z A-Z\n", "ALL OVER"},  //
		{"entrain help pl\t| head -1 | tr a-z A-Z\n", "ENTRAIN PLAN - "},              //
		{"entrain __complete run -- touch started\necho done | tr a-z A-Z\n", "DONE"}, //
	}
}

// start starts the shell in a directory with a contract, a trainer and a file. A job that it ran would be seen there.
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
	for _, path := range []string{filepath.Join(home, "bin/unique-trainer"), filepath.Join(dir, "a-file-of-the-trainer")} {
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	words := []string{"env", "TERM=vt100", "HOME=" + home, "PATH=" + filepath.Join(home, "bin") + ":" + os.Getenv("PATH"), "ENTRAIN_ROOT=job", "ENTRAIN_COMMAND=touch started"}
	for _, word := range append(s.env, s.words...) {
		words = append(words, strings.ReplaceAll(word, "HOME/", home+"/"))
	}
	for i, word := range words {
		words[i] = strings.ReplaceAll(word, "=HOME", "="+home)
	}
	plain := initProgram{"no init", func(_ *testing.T, _ string, _ []string, words ...string) []string { return words }}
	c, err := (&bench{t: t, program: plain, dir: dir}).console(words...)
	if err != nil {
		t.Fatal(err)
	}
	if err := until("there is a prompt", c.shows("prompt> ")); err != nil {
		t.Fatalf("%v; the screen: %q", err, c.screen.String())
	}
	return c, dir
}

// gives types keys, and waits until what is new on the screen shows a text, and a prompt behind it.
func (c *console) gives(keys, text string) error {
	before := len(c.screen.String())
	fresh := func() string { return strings.ReplaceAll(c.screen.String()[before:], "\r", "") }
	err := errors.Join(c.typedSlowly(keys), until(fmt.Sprintf("the screen shows %q and a prompt", text), func() bool {
		_, behind, shown := strings.Cut(fresh(), text)
		return shown && strings.Contains(behind, "prompt>")
	}))
	if err != nil {
		return fmt.Errorf("%w; what is new on the screen: %q", err, fresh())
	}
	return nil
}

// typedSlowly types as a person does, who looks at what a TAB has given before going on: zsh completes nothing while
// more is typed ahead. A TAB that gives nothing shows nothing, so the wait for it is short.
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
