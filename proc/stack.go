package proc

// deepen needs nearly all of a stack of 32 KiB, and does nothing with it.
func deepen()

// A stack that grows step by step is copied at each step, with a look at every frame on it: a thirtieth of what starting
// takes. So it grows in one step, while there is hardly anything on it.
func init() { deepen() } //nolint:gochecknoinits // main would be too late: other packages' variables need a good part of it
