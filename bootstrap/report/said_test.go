package report

import (
	"strings"
	"testing"

	"entrain/proc"
)

// TestSaidHoldsTheExceptionThatLedToTheLastOne checks the tracebacks of "raise" and
// of "raise … from".
func TestSaidHoldsTheExceptionThatLedToTheLastOne(t *testing.T) {
	const trace = "Traceback (most recent call last):\n  File \"t.py\", line 2, in <module>\n"
	for _, link := range []string{
		"\nDuring handling of the above exception, another exception occurred:\n\n",
		"\nThe above exception was the direct cause of the following exception:\n\n",
	} {
		text := trace + "KeyError: 'SM_CHANNEL_A'\n" + link + trace + "RuntimeError: boom\n"
		said := Said(proc.Exit{Code: 1, Stderr: []byte(text)})
		if !strings.Contains(said, "KeyError: 'SM_CHANNEL_A'") {
			t.Errorf("%q: said %q", link, said)
		}
	}
}
