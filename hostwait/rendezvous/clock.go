package rendezvous

import "time"

// steadyClock reads the clock of a host in microseconds since 1970. Nobody can set it: it is the time of day
// at the start of the session, and runs on as the monotonic clock does. So the clocks of two hosts differ by
// the same time in each hello.
type steadyClock struct{ start time.Time }

func (c steadyClock) at(now time.Time) int64 {
	return c.start.UnixMicro() + now.Sub(c.start).Microseconds()
}

// lags are the lags of the hellos of a host: the difference of the two clocks, plus the delay of a hello on
// its way. The smallest one is that of the fastest hello. It is forgotten after one or two lagWindows, since
// the clocks of two machines run apart.
type lags struct {
	begun           time.Time // the start of the present window
	smallest        time.Duration
	smallestEarlier time.Duration // in the window before
}

// add takes the lag of a hello that arrives now. It returns how long the hello was on its way, compared with
// the fastest one.
func (l *lags) add(lag time.Duration, now time.Time, window time.Duration) (delay time.Duration) {
	switch {
	case l.begun.IsZero():
		*l = lags{now, lag, lag}
	case now.Sub(l.begun) >= window:
		*l = lags{now, lag, l.smallest}
	}
	l.smallest = min(l.smallest, lag)
	return lag - min(l.smallest, l.smallestEarlier)
}
