package cause

import (
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

func maskNothing(s string) string { return s }

// TestTextTellsEachLineOnce checks that Text gives the cause, how the program ended, the hints and the last
// lines, in this order and none of them twice, and that it uses all of MaxText.
func TestTextTellsEachLineOnce(t *testing.T) {
	long := strings.Repeat("x", 3000)
	for _, c := range []struct {
		what, output, how string
		want              []string // what the text must hold, in this order
		not               string   // what it must not hold a second time
		least             int      // characters
	}{
		{
			"told once", pythonFailure, "python3: exit code 1",
			[]string{"RuntimeError: CUDA out of memory\npython3: exit code 1", "hint: a\nEpoch 1\n"},
			"RuntimeError: CUDA", 0,
		},
		{
			"told once by several ranks", "[rank0]: ValueError: bad shard 7\n[rank1]: ValueError: bad shard 7\n",
			"x",
			[]string{"ValueError: bad shard 7\nx"},
			"bad shard 7", 0,
		},
		{
			"a paragraph told once",
			ruler + "\nThe binding policy is not recognized:\n\n  Policy: nonsense\n\nPlease check.\n" + ruler +
				"\n",
			"x",
			[]string{"not recognized: Policy: nonsense\nx", "Please check."},
			"Policy: nonsense", 0,
		},
		{
			"a box told once",
			"Usage: x\n╭─ Error ───╮\n│ No such option: --epocs    │\n╰───╯\n", "x",
			[]string{"No such option: --epocs\nx"},
			"No such option", 0,
		},
		{
			"a head told once", "start\nUnhandled exception. System.Exception: no data\n   at A.B(C)\n", "x",
			[]string{"System.Exception: no data\nx"},
			"no data", 0,
		},
		{
			"a name before the cause", "t.Exception: MPI_ERR_RANK: invalid rank\n", "x",
			[]string{"MPI_ERR_RANK: invalid rank\nx"},
			"invalid rank", 0,
		},
		{
			"a long last line", "start\nloading " + long + "\n", "x",
			[]string{"loading xxx", "…", "\nx\n", "start"},
			"", 1024,
		},
		{
			"a long line before the last", "loading " + long + "\nError: no data\n", "x",
			[]string{"Error: no data\nx\n", "hint: a\nloading xx", "…"},
			"", 1024,
		},
		{
			"a long cause", "ValueError: bad " + long + "\n", "x",
			[]string{"ValueError: bad xx", "…", "\nx\n"},
			"", 1024,
		},
		{
			"many lines", strings.Repeat("line of a log\n", 1000) + "Error: no data\n", "x",
			[]string{"Error: no data\nx\nhint: a\nline of a log\n"},
			"Error: no data", 1000,
		},
		{
			"lines that do not all fit", strings.Repeat(strings.Repeat("y", 300)+"\n", 9) + "Error: no data\n", "x",
			[]string{"Error: no data\nx\nhint: a\nyyy", "…", "yyy"},
			"", 1024,
		},
	} {
		f := Failure{How: c.how, Hints: []string{"hint: a"}, Output: []byte(c.output), End: End{Code: 1}}
		got := Text(f, maskNothing)
		rest := got
		for _, words := range c.want {
			_, after, found := strings.Cut(rest, words)
			if !found {
				t.Errorf("%s: expected %q in its place in %q", c.what, words, got)
			}
			rest = after
		}
		n, repeated := utf8.RuneCountInString(got), c.not != "" && strings.Count(got, c.not) != 1
		if n < c.least || n > MaxText || repeated {
			t.Errorf("%s: %d characters, expected %d at least, and %q once: %q", c.what, n, c.least, c.not, got)
		}
	}
}

// TestTextBeginsWithHead checks that a cause that the caller knows comes first, then how the program ended.
func TestTextBeginsWithHead(t *testing.T) {
	const head, how = "algo-1: rank 1: exit code 7: bad", "mpirun: exit code 1"
	got := Text(Failure{Head: head, How: how, Output: []byte(pythonFailure)}, maskNothing)
	if !strings.HasPrefix(got, head+"\n"+how+"\nEpoch 1\n") {
		t.Errorf("%q", got)
	}
}

// TestJobCodeIsThatOfTorchrunsBlock checks that the block of torchrun names the exit code of the job. The
// block counts only at the end of the output, and only if torchrun itself ended with 1.
func TestJobCodeIsThatOfTorchrunsBlock(t *testing.T) {
	block := func(code string) string {
		return "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: \n====\nt.py FAILED\n----\n" +
			"Failures:\n[1]:\n  rank      : 1 (local_rank: 1)\n  exitcode  : 99 (pid: 8)\n----\n" +
			"Root Cause (first observed failure):\n[0]:\n  time      : 2026\n" +
			"  rank      : 2 (local_rank: 2)\n  exitcode  : " + code + " (pid: 7)\n" +
			"  error_file: <N/A>\n  traceback : Signal 9 (SIGKILL) received by PID 7\n====\n"
	}
	for _, c := range []struct {
		what, output string
		end          End
		want         int
	}{
		{"a signal", block("-9"), End{Code: 1}, 137},
		{"another signal", block("-6"), End{Code: 1}, 134},
		{"a code", block("42"), End{Code: 1}, 42},
		{"one", block("1"), End{Code: 1}, 1},
		{"nothing", block("0"), End{Code: 1}, 1},
		{"no number", block("x"), End{Code: 1}, 1},
		{"too large", block("70000"), End{Code: 1}, 1},
		{"no torchrun", pythonFailure, End{Code: 1}, 1},
		{"another code", block("42"), End{Code: 3}, 3},
		{"a signal of torchrun's own", block("42"), End{Code: 143, Signal: 15}, 143},
		{"a few lines later", block("42") + strings.Repeat("bye\n", 3), End{Code: 1}, 42},
		{"long ago", block("42") + strings.Repeat("epoch\n", 30), End{Code: 1}, 1},
		{"tagged", "[default0]: x\n" + block("42"), End{Code: 1}, 42},
		{"cut short", block("42")[:len(block("42"))-60], End{Code: 1}, 42},
	} {
		if got := JobCode([]byte(c.output), c.end); got != c.want {
			t.Errorf("%s: %d, expected %d", c.what, got, c.want)
		}
	}
}

// costlyTexts returns texts that cost a careless reader much time if they are repeated.
func costlyTexts() []string {
	return []string{
		"\x1b[1m", "\x1b]0;x", "\x1b", "\r", "\rx", "\n", "\x00", "\xff", "é", "x", " ",
		"[", "[1] ", "a:", "a: ", ": ", "|", "--- Logging error ---\n",
		"Traceback (most recent call last):\n", "Traceback (most recent call last):", "ValueError: a\n",
		"Traceback (most recent call last)\nE: a\n", "x: Traceback (most recent call last):\n",
		"  + Exception Group Traceback (most recent call last):\n  | EGroup: a\n", "error: a:\n",
		"Root Cause (first observed failure):\n", ruler + "\n", ruler + "\nx:\n\n",
		"[h:1] *** Process received signal ***\n", "Abort(1) on node 1: a, error stack:\n",
		"x\n\tat a.b(c)\n", "Caused by: x\n", "terminate called after throwing an instance of 'a'\n",
		"==1==ERROR: AddressSanitizer: a\n", "thread 'a' panicked at x:\n", "retrying\nERROR a\n",
		"  what():  a:\n", "[rank1]: [rank2]: ERROR\n", "RuntimeError: NCCL\n", "a validation error\n",
		"device-side assert\n", "ERROR \t", "No version is set for command ",
	}
}

// TestCostGrowsWithOutputAndNotFaster counts the bytes that Text allocates. If the output is four times
// as large, a quadratic reader allocates sixteen times as much.
func TestCostGrowsWithOutputAndNotFaster(t *testing.T) {
	const size, times, some = 8 << 10, 4, 1 << 20 // bytes of output; a factor; bytes that do not count
	for _, unit := range costlyTexts() {
		cost := func(size int) uint64 {
			output := []byte(strings.Repeat(unit, size/len(unit)))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := Text(Failure{How: "x", Output: output, End: End{Code: 1}}, maskNothing)
			runtime.ReadMemStats(&after)
			if n := utf8.RuneCountInString(got); n > MaxText {
				t.Errorf("%q: %d characters", unit, n)
			}
			return after.TotalAlloc - before.TotalAlloc
		}
		if one, four := cost(size), cost(times*size); four > 2*times*one+some {
			t.Errorf("%q: %d KiB for %d bytes, %d KiB for %d", unit, one>>10, size, four>>10, times*size)
		}
	}
}

// FuzzCause checks that the cause is one line of valid UTF-8 whatever a program writes, and that the
// words of the cause come from the program.
func FuzzCause(f *testing.F) {
	f.Add([]byte(pythonFailure), 1, 0)
	for _, c := range readVariations(f) {
		f.Add([]byte(c.Stderr), c.end().Code, c.end().Signal)
	}
	f.Fuzz(func(t *testing.T, output []byte, code, signal int) {
		got := Cause(output, End{Code: code, Signal: signal})
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x00\x1b") {
			t.Fatalf("%q", got)
		}
		known := strings.Join(readable(output), "\n")
		for word := range strings.FieldsSeq(got) {
			word = strings.TrimRight(word, ":;,")
			head, tail, cut := strings.Cut(word, "…")
			if cut && strings.Contains(known, head) && strings.Contains(known, tail) {
				continue
			}
			if !strings.Contains(known, word) && word != "exit" && word != "code" && word != "0" {
				t.Fatalf("%q of %q is not in the output", word, got)
			}
		}
		_ = JobCode(output, End{Code: code, Signal: signal})
	})
}
