package trainer

import (
	"bytes"
	"strings"
	"testing"

	"entrain/bootstrap/events"
	"entrain/proc"

	"github.com/rs/zerolog"
)

// TestSuccessWithoutMemoryIsWarnedOf: the log warns if the job ended with 0 and the kernel killed one of its
// processes. The error of a job that failed says so itself.
func TestSuccessWithoutMemoryIsWarnedOf(t *testing.T) {
	for _, c := range []struct {
		what string
		exit proc.Exit
		want string // in the log; empty for nothing at all
	}{
		{"a success", proc.Exit{}, ""},
		{
			"a success, and one killed process",
			proc.Exit{OOMKills: 1},
			"the kernel killed 1 process of this container",
		},
		{
			"a success, and two killed processes",
			proc.Exit{OOMKills: 2},
			"the kernel killed 2 processes of this container",
		},
		{"a failure", proc.Exit{Code: 137, OOMKills: 1}, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			var log bytes.Buffer
			events := events.Log{Logger: zerolog.New(&log)}
			Remark(events, c.exit, "the trainer")
			got := log.String()
			if !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
				t.Errorf("the log says %q, expected %q", got, c.want)
			}
		})
	}
}
