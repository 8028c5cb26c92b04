package cause

import (
	"strings"
	"testing"
)

// BenchmarkText measures the cost of a failure with 64 KiB of output: an ordinary log, and the texts that
// cost most.
func BenchmarkText(b *testing.B) {
	for what, output := range map[string]string{
		"log":     strings.Repeat("2026-01-01 10:00:00 INFO step 17 loss 0.123\n", 64<<10/44) + pythonFailure,
		"errors":  strings.Repeat("2026-01-01 10:00:00 ERROR step 17 failed\n", 64<<10/44),
		"escapes": strings.Repeat("\x1b[1m", 16<<10),
		"letters": strings.Repeat("x\n", 32<<10),
	} {
		b.Run(what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Text(Failure{How: "x", Output: []byte(output), End: End{Code: 1}}, maskNothing)
			}
		})
	}
}
