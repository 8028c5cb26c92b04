package hostwait

import (
	"context"
	"time"
)

// Every time-out and pause of this package. Options.Timeout, which the user chooses, bounds the whole wait.
const (
	// compareTime bounds the DNS question with which a HostsFile checks an address that it has. A name server
	// of the same network answers within a few milliseconds. The check only warns, so a silent name server
	// must not delay the start: it must be smaller than shortestProbePause.
	compareTime = 20 * time.Millisecond

	// shortestProbePause is the pause after the first failed probe of a host. The next pauses are each half as
	// long again, up to longestProbePause. Names usually appear within a second of each other, so the first
	// probes follow quickly.
	shortestProbePause = 50 * time.Millisecond

	// longestProbePause is the longest pause between two probes of a host, before probeJitter. Together they
	// stay below one second, so that a host is noticed at most a second after its name resolves. It must be
	// larger than shortestProbePause.
	longestProbePause = 800 * time.Millisecond

	// probeJitter is the part of a pause by which it varies at random, so that hundreds of probes do not reach
	// the name server at once.
	probeJitter = 0.2

	// defaultQueryTime bounds one question to one name server where resolv.conf does not. The C library takes
	// 5 s (RES_TIMEOUT in resolv.h). It is shorter here because the next probe asks again. It must be smaller
	// than maxQueryTime.
	defaultQueryTime = 2 * time.Second

	// maxQueryTime is the longest time for one question that resolv.conf can ask for. It is the limit of the C
	// library (RES_MAXRETRANS in resolv.h), which bounds the trainer's lookups too.
	maxQueryTime = 30 * time.Second

	// progressPause is the pause between two reports of a long wait, after the first minute. The reports of
	// the first minute are denser (see Often). A user who looks at the log sees within half a minute that the
	// wait goes on.
	progressPause = 30 * time.Second
)

// Pause returns true after a time, or false as soon as ctx ends.
func Pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
