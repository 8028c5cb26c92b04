package report

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

const traceback = `Epoch 1
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    main()
  File "train.py", line 2, in main
    raise RuntimeError("CUDA out of memory")
RuntimeError: CUDA out of memory
`

// exitError is the error of a Python program that ended with a code.
func exitError(code int, stderr string) error {
	exit := proc.Exit{Code: code, Elapsed: 72 * time.Second, Stderr: []byte(stderr)}
	return &proc.ExitError{Program: "python3", Exit: exit}
}

// plain is a mask that hides nothing.
func plain(text string) string { return text }

// canShow reports whether the platform can show a text: at most 1,024 characters of valid UTF-8 without NUL.
func canShow(text string) bool {
	return utf8.RuneCountInString(text) <= 1024 && utf8.ValidString(text) && !strings.ContainsRune(text, 0)
}

// TestSecretIsHiddenBeforeTextIsCut checks that a cut never leaves a part of a secret.
func TestSecretIsHiddenBeforeTextIsCut(t *testing.T) {
	hide := func(text string) string { return strings.ReplaceAll(text, "SuperSecret", "******") }
	for n := range 600 {
		stderr := "ValueError: " + strings.Repeat("x", n) + "SuperSecret" + strings.Repeat("y", 900)
		if got := FailureText(exitError(1, stderr), hide); strings.Contains(got, "Sup") {
			t.Fatalf("%d: %s", n, got)
		}
	}
}

// TestFailureTextBeginsWithCause checks that the text has the cause, how the program ended, the hints,
// and then as much of the end of stderr as fits. It also checks that the cause does not come twice.
func TestFailureTextBeginsWithCause(t *testing.T) {
	failed := errors.Join(exitError(1, traceback), errors.New("and more"))
	got := FailureText(failed, plain, "no space left in /opt/ml/model")
	const last = "RuntimeError: CUDA out of memory"
	want := last + "\npython3: exit code 1 after 1m12s\nno space left in /opt/ml/model\n" +
		strings.TrimSuffix(traceback, "\n"+last+"\n")
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := FailureText(exitError(7, ""), plain); got != "python3: exit code 7 after 1m12s" {
		t.Errorf("without stderr: %q", got)
	}
	for _, stderr := range []string{
		strings.Repeat("é", 3000), strings.Repeat("line\n", 1000),
		traceback + strings.Repeat(strings.Repeat("x", 200)+"\n", 20), "a\x00b\xff\n",
	} {
		got := FailureText(exitError(1, stderr), plain)
		if n := utf8.RuneCountInString(got); n < 20 || !canShow(got) {
			t.Errorf("%d characters: %q", n, got)
		}
	}
	got = FailureText(exitError(1, strings.Repeat("early\n", 1000)+"the last line\n"), plain)
	if !strings.HasPrefix(got, "the last line\npython3: exit code 1") || !strings.HasSuffix(got, "early") {
		t.Errorf("%q", got)
	}
	got = FailureText(errors.New("first\n"+strings.Repeat("é", 2000)+"\xff"), plain)
	n := len([]rune(got))
	if n != 1024 || !strings.HasPrefix(got, "first\né") || !strings.HasSuffix(got, "é…") {
		t.Errorf("%d characters: %q", n, got)
	}
	if got := FailureText(errors.New("a\x00b\xffc"), plain); got != "ab\ufffdc" {
		t.Errorf("%q", got)
	}
}

// FuzzFailureText checks that the platform can show the text, whatever a trainer writes.
func FuzzFailureText(f *testing.F) {
	f.Add([]byte(traceback))
	f.Add([]byte("\x1b[31m\r\n\xff\x00  + Exception Group Traceback (most recent call last):\n"))
	f.Fuzz(func(t *testing.T, stderr []byte) {
		got := FailureText(exitError(1, string(stderr)), plain)
		if !canShow(got) || !strings.Contains(got, "exit code 1") {
			t.Fatalf("%d characters: %q", utf8.RuneCountInString(got), got)
		}
	})
}

// TestHintsOfPeerGetTheirOwnLines checks that a failure goes to the other hosts as one line, and that its
// hints get lines of their own again there.
func TestHintsOfPeerGetTheirOwnLines(t *testing.T) {
	for own, want := range map[string]string{
		"a is missing":                "algo-2: a is missing",
		"a is missing\nhint: make it": "algo-2: a is missing\nhint: make it",

		"a is bad\nhint: x\nb is bad\nhint: x\nc is bad": "algo-2: a is bad; b is bad; c is bad\nhint: x",

		"a is bad\nhint: x\nhint: y\nb is bad\nhint: one": "algo-2: a is bad; b is bad\n" +
			"hint: x\nhint: y\nhint: one",
	} {
		text := Summary(errors.New(own))
		peer := &rendezvous.PeerError{Host: "algo-2", Text: text}
		if strings.Contains(text, "\n") || peer.Error() != want {
			t.Errorf("%q: %q, then %q, want %q", own, text, peer.Error(), want)
		}
	}
}
