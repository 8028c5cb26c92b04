package cause

import (
	"strings"
	"testing"
)

// pythonFailure is the output of a Python program that failed.
const pythonFailure = `Epoch 1
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    main()
  File "train.py", line 2, in main
    raise RuntimeError("CUDA out of memory")
RuntimeError: CUDA out of memory
`

// loggingError is the report of Python's logging about a message that it could not format, printed while the
// program handles another exception.
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

// TestCauseIsTheLineThatSaysWhy checks Cause with the output of each kind of program.
func TestCauseIsTheLineThatSaysWhy(t *testing.T) {
	for _, c := range []struct{ what, stderr, want string }{
		{"Python", pythonFailure, "RuntimeError: CUDA out of memory"},
		{
			"Python, with other output after it", pythonFailure + "wandb: run finished with error\n",
			"RuntimeError: CUDA out of memory",
		},
		{
			"Python, one exception while handling another",
			"Traceback (most recent call last):\n  x\nKeyError: 'a'\n\n" +
				"During handling of the above exception, another exception occurred:\n\n" + pythonFailure,
			"RuntimeError: CUDA out of memory",
		},
		{
			"Python under torchrun",
			"[rank1]: Traceback (most recent call last):\n[rank1]:   File \"x\"\n[rank1]: ValueError: bad\n",
			"ValueError: bad",
		},
		{
			"Python under mpirun",
			"[1,0]<stderr>:Traceback (most recent call last):\n[1,0]<stderr>:  File \"x\"\n" +
				"[1,0]<stderr>:ValueError: bad\n",
			"ValueError: bad",
		},
		{
			"Python, exception group",
			"  + Exception Group Traceback (most recent call last):\n  |   File \"x\"\n" +
				"  | ExceptionGroup: many (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n",
			"ExceptionGroup: many (2 sub-exceptions)",
		},
		{
			"Python, syntax error",
			"  File \"t.py\", line 1\n    x = = 1\n        ^\nSyntaxError: invalid syntax\n",
			"SyntaxError: invalid syntax",
		},
		{
			"C++",
			"start\nterminate called after throwing an instance of 'std::runtime_error'\n" +
				"  what():  no data in train\n",
			"std::runtime_error: no data in train",
		},
		{
			"Python, an ignored exception after the real one",
			pythonFailure +
				"Exception ignored in: <function W.__del__ at 0x7f>\nTraceback (most recent call last):\n  x\n" +
				"AttributeError: 'NoneType' object\n",
			"RuntimeError: CUDA out of memory",
		},
		{
			"Python, a failed log call after the exception", pythonFailure + loggingError,
			"RuntimeError: CUDA out of memory",
		},
		{
			"Python, a failed log call before the exception", loggingError + pythonFailure,
			"RuntimeError: CUDA out of memory",
		},
		{"Python, a failed log call without an exception", "no training data\n" + loggingError, "no training data"},
		{"Python, nothing but a failed log call", loggingError, "TypeError: not enough arguments"},
		{
			"Python, a failed log call on another rank",
			"[rank0]: --- Logging error ---\n[rank0]: Traceback (most recent call last):\n" +
				"[rank1]: ValueError: bad\n[rank0]: KeyError: 'b'\n[rank0]: Arguments: (1,)\n",
			"ValueError: bad",
		},
		{
			"Python, and an exception of torchrun after it",
			"[rank1]: Traceback (most recent call last):\n[rank1]:   x\n[rank1]: ValueError: bad\n" +
				"Traceback (most recent call last):\n  y\n" +
				"torch.distributed.elastic.multiprocessing.errors.ChildFailedError: \n",
			"ValueError: bad",
		},
		{
			"C++ after a Python exception that was handled",
			pythonFailure +
				"terminate called after throwing an instance of 'std::runtime_error'\n  what():  no data in train\n",
			"std::runtime_error: no data in train",
		},
		{
			"a line that counts no errors", "INFO 0 samples failed, no error\nno training data under /opt/ml\n",
			"no training data under /opt/ml",
		},
		{
			"C++ without what", "terminate called after throwing an instance of 'int'\n",
			"terminate called after throwing an instance of 'int'",
		},
		{
			"libc++", "libc++abi: terminating due to uncaught exception of type std::runtime_error: no data\n",
			"std::runtime_error: no data",
		},
		{
			"assert", "a\ntrain: t.cpp:5: int main(): Assertion `n > 0' failed.\n",
			"train: t.cpp:5: int main(): Assertion `n > 0' failed.",
		},
		{"glibc", "double free or corruption (out)\n", "double free or corruption (out)"},
		{
			"sanitizer", "==1==ERROR: AddressSanitizer: heap-use-after-free on address\n    #0 0x1\nSUMMARY: x\n",
			"==1==ERROR: AddressSanitizer: heap-use-after-free on address",
		},
		{"Go", "panic: no data\n\ngoroutine 1 [running]:\n", "panic: no data"},
		{
			"Open MPI",
			"MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD\nwith errorcode 3.\n----\n",
			"MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD",
		},
		{
			"MPICH",
			"Abort(3) on node 1 (rank 1 in comm 0): application called MPI_Abort(MPI_COMM_WORLD, 3) - process 1\n",
			"Abort(3) on node 1 (rank 1 in comm 0): application called MPI_Abort(MPI_COMM_WORLD, 3) - process 1",
		},
		{
			"Python, and a message of MPI after it", pythonFailure + "MPI_ABORT was invoked on rank 0\n",
			"RuntimeError: CUDA out of memory",
		},
		{"an error somewhere", "loading\ntrain: error: no such dataset\nbye\n", "train: error: no such dataset"},
		{"no error at all", "one\ntwo\n\n", "two"},
		{"colours and a progress bar", "\x1b[31mError:\x1b[0m bad\r\n10%\r50%\r100% done\n", "Error: bad"},
		{
			"Python, survived long ago, and another last line",
			pythonFailure + strings.Repeat("epoch 3 loss 0.25\n", 300) + "stopped: validation loss diverged\n",
			"stopped: validation loss diverged",
		},
		{
			"Python, and a log after it", pythonFailure + strings.Repeat("10:00 INFO saving\n", 300),
			"RuntimeError: CUDA out of memory",
		},
		{
			"Python, and a log with a farewell after it",
			pythonFailure + strings.Repeat("epoch 3 loss 0.25\n", 300) + "Bye\n",
			"RuntimeError: CUDA out of memory",
		},
		{"nothing", "", ""},
		{
			"nothing but that a process failed",
			ruler + "\nPrimary job  terminated normally, but 1 process returned\na non-zero exit code.\n" +
				ruler + "\n",
			"",
		},
		{"nothing but usage", "Usage: train [OPTION]\n", "Usage: train [OPTION]"},
		{"rubbish", "\xff\xfe\x00\x1b[", "\ufffd"},
	} {
		if got := Cause([]byte(c.stderr), End{Code: 1}); got != c.want {
			t.Errorf("%s: %q, expected %q", c.what, got, c.want)
		}
	}
}
