package bootstrap

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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

// loggingError is what Python's logging prints while another exception is handled.
const loggingError = `--- Logging error ---
Traceback (most recent call last):
  File "train.py", line 4, in <module>
ValueError: handled

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "logging/__init__.py", line 377, in getMessage
TypeError: not enough arguments
Call stack:
  File "train.py", line 6, in <module>
Message: 'a %s %s'
Arguments: (1,)
`

// TestTelling: the line that says most, as each kind of program leaves it.
func TestTelling(t *testing.T) {
	for _, c := range []struct{ what, stderr, want string }{
		{"Python", traceback, "RuntimeError: CUDA out of memory"},
		{"Python, with talk after it", traceback + "wandb: run finished with error\n", "RuntimeError: CUDA out of memory"},
		{"Python, one exception while handling another", "Traceback (most recent call last):\n  x\nKeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\n" + traceback, "RuntimeError: CUDA out of memory"},
		{"Python under torchrun", "[rank1]: Traceback (most recent call last):\n[rank1]:   File \"x\"\n[rank1]: ValueError: bad\n", "ValueError: bad"},
		{"Python under mpirun", "[1,0]<stderr>:Traceback (most recent call last):\n[1,0]<stderr>:  File \"x\"\n[1,0]<stderr>:ValueError: bad\n", "ValueError: bad"},
		{"Python, exception group", "  + Exception Group Traceback (most recent call last):\n  |   File \"x\"\n  | ExceptionGroup: many (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n", "ExceptionGroup: many (2 sub-exceptions)"},
		{"Python, syntax error", "  File \"t.py\", line 1\n    x = = 1\n        ^\nSyntaxError: invalid syntax\n", "SyntaxError: invalid syntax"},
		{"C++", "start\nterminate called after throwing an instance of 'std::runtime_error'\n  what():  no data in train\n", "std::runtime_error: no data in train"},
		{"Python, an ignored exception after it", traceback + "Exception ignored in: <function W.__del__ at 0x7f>\nTraceback (most recent call last):\n  x\nAttributeError: 'NoneType' object\n", "RuntimeError: CUDA out of memory"},
		{"Python, a log call that cannot be formatted after it", traceback + loggingError, "RuntimeError: CUDA out of memory"},
		{"Python, one before it", loggingError + traceback, "RuntimeError: CUDA out of memory"},
		{"Python, one alone", "no training data\n" + loggingError, "no training data"},
		{"Python, one and nothing else", loggingError, "TypeError: not enough arguments"},
		{"Python, one on another rank", "[rank0]: --- Logging error ---\n[rank0]: Traceback (most recent call last):\n[rank1]: ValueError: bad\n[rank0]: KeyError: 'b'\n[rank0]: Arguments: (1,)\n", "[rank1]: ValueError: bad"},
		{"torchrun's own", "[rank1]: Traceback (most recent call last):\n[rank1]:   x\n[rank1]: ValueError: bad\nTraceback (most recent call last):\n  y\ntorch.distributed.elastic.multiprocessing.errors.ChildFailedError: \n", "ValueError: bad"},
		{"C++ after a Python exception that was handled", traceback + "terminate called after throwing an instance of 'std::runtime_error'\n  what():  no data in train\n", "std::runtime_error: no data in train"},
		{"no error among others", "INFO 0 samples failed, no error\nno training data under /opt/ml\n", "no training data under /opt/ml"},
		{"C++ without what", "terminate called after throwing an instance of 'int'\n", "terminate called after throwing an instance of 'int'"},
		{"libc++", "libc++abi: terminating due to uncaught exception of type std::runtime_error: no data\n", "std::runtime_error: no data"},
		{"assert", "a\ntrain: t.cpp:5: int main(): Assertion `n > 0' failed.\n", "train: t.cpp:5: int main(): Assertion `n > 0' failed."},
		{"glibc", "double free or corruption (out)\n", "double free or corruption (out)"},
		{"sanitizer", "==1==ERROR: AddressSanitizer: heap-use-after-free on address\n    #0 0x1\nSUMMARY: x\n", "==1==ERROR: AddressSanitizer: heap-use-after-free on address"},
		{"Go", "panic: no data\n\ngoroutine 1 [running]:\n", "panic: no data"},
		{"Open MPI", "MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD\nwith errorcode 3.\n----\n", "MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD"},
		{"MPICH", "Abort(3) on node 1 (rank 1 in comm 0): application called MPI_Abort(MPI_COMM_WORLD, 3) - process 1\n", "Abort(3) on node 1 (rank 1 in comm 0): application called MPI_Abort(MPI_COMM_WORLD, 3) - process 1"},
		{"Python before MPI's own words", traceback + "MPI_ABORT was invoked on rank 0\n", "RuntimeError: CUDA out of memory"},
		{"an error somewhere", "loading\ntrain: error: no such dataset\nbye\n", "train: error: no such dataset"},
		{"no error at all", "one\ntwo\n\n", "two"},
		{"colours and a progress bar", "\x1b[31mError:\x1b[0m bad\r\n10%\r50%\r100% done\n", "Error: bad"},
		{"nothing", "", ""},
		{"rubbish", "\xff\xfe\x00\x1b[", "\ufffd"},
	} {
		if got := telling(readableLines([]byte(c.stderr))); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

func exitError(code int, stderr string) error {
	return &proc.ExitError{Program: "python3", Exit: proc.Exit{Code: code, Elapsed: 72 * time.Second, Stderr: []byte(stderr)}}
}

// TestFailureText: the most telling line, how it ended, hints, and then the end of stderr as far as there is room.
func plain(text string) string { return text }

// TestMaskedBeforeCut: half of a secret is a secret.
func TestMaskedBeforeCut(t *testing.T) {
	hide := func(text string) string { return strings.ReplaceAll(text, "SuperSecret", "******") }
	for n := range 600 {
		if got := FailureText(exitError(1, "ValueError: "+strings.Repeat("x", n)+"SuperSecret"+strings.Repeat("y", 900)), hide); strings.Contains(got, "Sup") {
			t.Fatalf("%d: %s", n, got)
		}
	}
}

func TestFailureText(t *testing.T) {
	got := FailureText(errors.Join(exitError(1, traceback), errors.New("and more")), plain, "no space left in /opt/ml/model")
	want := "RuntimeError: CUDA out of memory\npython3: exit code 1 after 1m12s\nno space left in /opt/ml/model\n" + strings.TrimSpace(traceback)
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := FailureText(exitError(7, ""), plain); got != "python3: exit code 7 after 1m12s" {
		t.Errorf("without stderr: %q", got)
	}
	for _, stderr := range []string{
		strings.Repeat("é", 3000), strings.Repeat("line\n", 1000), traceback + strings.Repeat(strings.Repeat("x", 200)+"\n", 20), "a\x00b\xff\n",
	} {
		got := FailureText(exitError(1, stderr), plain)
		if n := utf8.RuneCountInString(got); n > 1024 || n < 20 || !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
			t.Errorf("%d characters: %q", n, got)
		}
	}
	got = FailureText(exitError(1, strings.Repeat("early\n", 1000)+"the last line\n"), plain)
	if !strings.HasPrefix(got, "the last line\npython3: exit code 1") || !strings.HasSuffix(got, "early\nthe last line") {
		t.Errorf("%q", got)
	}
	got = FailureText(errors.New("first\n"+strings.Repeat("é", 2000)+"\xff"), plain)
	if n := len([]rune(got)); n != 1024 || !strings.HasPrefix(got, "first\né") || !strings.HasSuffix(got, "é…") {
		t.Errorf("%d characters: %q", n, got)
	}
	if got := FailureText(errors.New("a\x00b\xffc"), plain); got != "ab\ufffdc" {
		t.Errorf("%q", got)
	}
}

// FuzzFailureText: whatever a trainer writes, the platform can show it.
func FuzzFailureText(f *testing.F) {
	f.Add([]byte(traceback))
	f.Add([]byte("\x1b[31m\r\n\xff\x00  + Exception Group Traceback (most recent call last):\n"))
	f.Fuzz(func(t *testing.T, stderr []byte) {
		got := FailureText(exitError(1, string(stderr)), plain)
		if n := utf8.RuneCountInString(got); n > 1024 || !utf8.ValidString(got) || strings.ContainsRune(got, 0) || !strings.Contains(got, "exit code 1") {
			t.Fatalf("%d characters: %q", n, got)
		}
	})
}
