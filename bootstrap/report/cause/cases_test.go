package cause

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// failure is a case of testdata/failures.jsonl or testdata/variations.txt. See testdata/README.md.
type failure struct {
	Name   string
	Stderr string
	End    struct {
		Code   int
		Signal string
	}
	First []string
}

func (f failure) end() End {
	if n := int(unix.SignalNum(f.End.Signal)); n != 0 {
		return End{Code: 128 + n, Signal: n}
	}
	return End{Code: f.End.Code}
}

// text is the text of the failure file.
func (f failure) text() string {
	how := "trainer: exit code"
	if f.End.Signal != "" {
		how = "trainer: killed by " + f.End.Signal
	}
	return Text(Failure{How: how, Output: []byte(f.Stderr), End: f.end()}, maskNothing)
}

// readFailures reads testdata/failures.jsonl.
func readFailures(tb testing.TB) []failure {
	tb.Helper()
	data, err := os.ReadFile("testdata/failures.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	var all []failure
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var f failure
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			tb.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// TestFirstLineHoldsCauseOfRealFailures checks the first line of the failure file with the output of real
// programs.
func TestFirstLineHoldsCauseOfRealFailures(t *testing.T) {
	all := readFailures(t)
	if len(all) < 48 {
		t.Fatalf("%d cases", len(all))
	}
	for _, f := range all {
		first, _, _ := strings.Cut(f.text(), "\n")
		for _, words := range f.First {
			if !strings.Contains(first, words) {
				t.Errorf("%s: the first line is %q, expected %q in it", f.Name, first, words)
			}
		}
	}
}

// readVariations reads testdata/variations.txt.
func readVariations(tb testing.TB) []failure {
	tb.Helper()
	data, err := os.ReadFile("testdata/variations.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var all []failure
	for _, part := range strings.Split("\n"+string(data), "\n=== ")[1:] {
		head, text, _ := strings.Cut(part, "\n")
		fields := strings.Split(head, " | ")
		if len(fields) < 3 {
			tb.Fatalf("%q: expected a name, an end and words", head)
		}
		text = strings.NewReplacer(`\e`, "\x1b", `\r`, "\r").Replace(text) + "\n"
		f := failure{Name: fields[0], Stderr: text, First: fields[2:]}
		if signal, ok := strings.CutPrefix(fields[1], "signal "); ok {
			f.End.Signal = signal
		} else if f.End.Code, err = strconv.Atoi(strings.TrimPrefix(fields[1], "code ")); err != nil {
			tb.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// TestFirstLineHoldsCauseOfVariations checks further failures of the same kinds: as they are, without a
// newline at the end, with the line ends of Windows, after a progress bar, and after an ordinary log.
func TestFirstLineHoldsCauseOfVariations(t *testing.T) {
	bar := strings.Repeat("\rtrain:  39%|███▉      | 392/1000 [00:00<00:00]", 90) + "\n"
	for _, f := range readVariations(t) {
		for what, text := range map[string]string{
			"":                     f.Stderr,
			", no newline":         strings.TrimRight(f.Stderr, "\n"),
			", CRLF":               strings.ReplaceAll(f.Stderr, "\n", "\r\n"),
			", after a bar":        bar + f.Stderr,
			", after ordinary log": strings.Repeat("10:00:00 INFO epoch 3, no error\n", 90) + f.Stderr,
		} {
			f := f
			f.Stderr = text
			first, _, _ := strings.Cut(f.text(), "\n")
			for _, words := range f.First {
				not, unwanted := strings.CutPrefix(words, "!")
				if strings.Contains(first, not) == unwanted {
					t.Errorf("%s%s: the first line is %q, expected %q", f.Name, what, first, words)
				}
			}
		}
	}
}
