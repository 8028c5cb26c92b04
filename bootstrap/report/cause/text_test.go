package cause

import (
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

func same(s string) string { return s }

// TestText: the cause, how it ended, hints, and then the last lines, none of them twice, all room used.
func TestText(t *testing.T) {
	long := strings.Repeat("x", 3000)
	for _, c := range []struct {
		what, output, how string
		want              []string // what the text must hold, in this order
		not               string   // what it must not hold a second time
		least             int      // characters
	}{
		{"told once", boom, "python3: exit code 1", []string{"RuntimeError: CUDA out of memory\npython3: exit code 1", "hint: a\nEpoch 1\n"}, "RuntimeError: CUDA", 0},
		{"told once by several ranks", "[rank0]: ValueError: bad shard 7\n[rank1]: ValueError: bad shard 7\n", "x", []string{"ValueError: bad shard 7\nx"}, "bad shard 7", 0},
		{"a paragraph told once", ruler + "\nThe binding policy is not recognized:\n\n  Policy: nonsense\n\nPlease check.\n" + ruler + "\n", "x", []string{"not recognized: Policy: nonsense\nx", "Please check."}, "Policy: nonsense", 0},
		{"a box told once", "Usage: x\n╭─ Error ───╮\n│ No such option: --epocs    │\n╰───╯\n", "x", []string{"No such option: --epocs\nx"}, "No such option", 0},
		{"a head told once", "start\nUnhandled exception. System.Exception: no data\n   at A.B(C)\n", "x", []string{"System.Exception: no data\nx"}, "no data", 0},
		{"a name before it", "t.Exception: MPI_ERR_RANK: invalid rank\n", "x", []string{"MPI_ERR_RANK: invalid rank\nx"}, "invalid rank", 0},
		{"a long last line", "start\nloading " + long + "\n", "x", []string{"loading xxx", "…", "\nx\n", "start"}, "", 1024},
		{"a long line before the last", "loading " + long + "\nError: no data\n", "x", []string{"Error: no data\nx\n", "hint: a\nloading xx", "…"}, "", 1024},
		{"a long cause", "ValueError: bad " + long + "\n", "x", []string{"ValueError: bad xx", "…", "\nx\n"}, "", 1024},
		{"many lines", strings.Repeat("line of a log\n", 1000) + "Error: no data\n", "x", []string{"Error: no data\nx\nhint: a\nline of a log\n"}, "Error: no data", 1000},
		{"one that is not whole", strings.Repeat(strings.Repeat("y", 300)+"\n", 9) + "Error: no data\n", "x", []string{"Error: no data\nx\nhint: a\nyyy", "…", "yyy"}, "", 1024},
	} {
		got := Text(Failure{How: c.how, Hints: []string{"hint: a"}, Output: []byte(c.output), End: End{Code: 1}}, same)
		rest := got
		for _, words := range c.want {
			_, after, found := strings.Cut(rest, words)
			if !found {
				t.Errorf("%s: expected %q in its place in %q", c.what, words, got)
			}
			rest = after
		}
		if n := utf8.RuneCountInString(got); n < c.least || n > MaxText || c.not != "" && strings.Count(got, c.not) != 1 {
			t.Errorf("%s: %d characters, expected %d at least, and %q once: %q", c.what, n, c.least, c.not, got)
		}
	}
	if got := Text(Failure{Head: "algo-1: rank 1: exit code 7: bad", How: "mpirun: exit code 1", Output: []byte(boom)}, same); !strings.HasPrefix(got, "algo-1: rank 1: exit code 7: bad\nmpirun: exit code 1\nEpoch 1\n") {
		t.Errorf("with a head: %q", got)
	}
}

// TestJobCode: torchrun's block names the job's exit code, where it is the end, and where torchrun itself ended with 1.
func TestJobCode(t *testing.T) {
	block := func(code string) string {
		return "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: \n====\nt.py FAILED\n----\n" +
			"Failures:\n[1]:\n  rank      : 1 (local_rank: 1)\n  exitcode  : 99 (pid: 8)\n----\nRoot Cause (first observed failure):\n[0]:\n" +
			"  time      : 2026\n  rank      : 2 (local_rank: 2)\n  exitcode  : " + code + " (pid: 7)\n  error_file: <N/A>\n  traceback : Signal 9 (SIGKILL) received by PID 7\n====\n"
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
		{"no torchrun", boom, End{Code: 1}, 1},
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

// hostile gives what costs a careless reader much when it is repeated.
func hostile() []string {
	return []string{
		"\x1b[1m", "\x1b]0;x", "\x1b", "\r", "\rx", "\n", "\x00", "\xff", "é", "x", " ", "[", "[1] ", "a:", "a: ", ": ", "|", "--- Logging error ---\n",
		"Traceback (most recent call last):\n", "Traceback (most recent call last):", "ValueError: a\n", "Traceback (most recent call last)\nE: a\n",
		"x: Traceback (most recent call last):\n", "  + Exception Group Traceback (most recent call last):\n  | EGroup: a\n", "error: a:\n", "Root Cause (first observed failure):\n",
		ruler + "\n", ruler + "\nx:\n\n", "[h:1] *** Process received signal ***\n", "Abort(1) on node 1: a, error stack:\n", "x\n\tat a.b(c)\n", "Caused by: x\n",
		"terminate called after throwing an instance of 'a'\n", "==1==ERROR: AddressSanitizer: a\n", "thread 'a' panicked at x:\n", "retrying\nERROR a\n",
		"  what():  a:\n", "[rank1]: [rank2]: ERROR\n", "RuntimeError: NCCL\n", "a validation error\n", "device-side assert\n", "ERROR \t", "No version is set for command ",
	}
}

// TestLinear: what a failure costs grows with its output and not faster, whatever that holds. For four times as much a
// quadratic reader allocates sixteen times as much.
func TestLinear(t *testing.T) {
	const size, times, some = 8 << 10, 4, 1 << 20
	for _, unit := range hostile() {
		cost := func(size int) uint64 {
			output := []byte(strings.Repeat(unit, size/len(unit)))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := Text(Failure{How: "x", Output: output, End: End{Code: 1}}, same)
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

// FuzzCause: whatever a program writes, the cause is one line of valid UTF-8, and its words are the program's.
func FuzzCause(f *testing.F) {
	f.Add([]byte(boom), 1, 0)
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
			if head, tail, cut := strings.Cut(word, "…"); cut && strings.Contains(known, head) && strings.Contains(known, tail) {
				continue
			}
			if !strings.Contains(known, word) && word != "exit" && word != "code" && word != "0" {
				t.Fatalf("%q of %q is not in the output", word, got)
			}
		}
		_ = JobCode(output, End{Code: code, Signal: signal})
	})
}
