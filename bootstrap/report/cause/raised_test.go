package cause

import "testing"

// TestRaised: an exception counts if nothing but its own text follows.
func TestRaised(t *testing.T) {
	const trace = "Traceback (most recent call last):\n  File \"train.py\", line 9, in <module>\n    main()\n"
	const chain = "\nDuring handling of the above exception, another exception occurred:\n\n"
	const memory = "torch.cuda.OutOfMemoryError: CUDA"
	for what, c := range map[string]struct{ output, want string }{
		"an exception":                  {"epoch 1\n" + trace + "ValueError: no data\n", "ValueError: no data"},
		"an exception of a module":      {trace + memory + "\n", memory},
		"an exception of several lines": {trace + "RuntimeError: a\nb\nc\n", "RuntimeError: a"},
		"a chain":                       {"1\n" + chain + trace + "ValueError: x\n", "ValueError: x"},
		"the program goes on":           {trace + "ValueError: x\n1\n2\n3\n4\n5\n6\n", ""},
		"the traceback is not complete": {trace, ""},
		"an ignored exception":          {"Exception ignored in: <f>\n" + trace + "ValueError: x\n", ""},
		"no exception":                  {"epoch 1\n", ""},
		"nothing":                       {"", ""},
	} {
		if got := Raised([]byte(c.output)); got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}
