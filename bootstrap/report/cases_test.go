package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// failure is a line of testdata/*.jsonl, which testdata/README.md describes.
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

func (f failure) text() string {
	how := "trainer: exit code"
	if f.End.Signal != "" {
		how = "trainer: killed by " + f.End.Signal
	}
	return Text(Failure{How: how, Output: []byte(f.Stderr), End: f.end()}, func(s string) string { return s })
}

func readFailures(t testing.TB, file string) []failure {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []failure
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var f failure
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// TestRealFailures: the failure file's first line holds the cause of what real programs printed.
func TestRealFailures(t *testing.T) {
	all := readFailures(t, "testdata/failures.jsonl")
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
