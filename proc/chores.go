package proc

import "time"

// chore is work that can wait. A program that ends before the chore is due does not wait for it.
type chore struct {
	due time.Time
	do  func()
}

// realTimeAfter is how long after the program's start the real-time signals are caught. To catch them takes
// a tenth of our own start. No program has installed a handler, and told somebody of it, before that. The
// counter of kills for lack of memory is opened at that moment too: no program fills the memory before it.
const realTimeAfter = time.Millisecond

// chores are those of a program that starts now, in the order in which they are due.
func (r *run) chores(now time.Time) []chore {
	return []chore{
		{now.Add(realTimeAfter), r.signals.catchRealTime},
		{now.Add(realTimeAfter), func() { r.ooms = openOOMCounter(groupsOfThis, groupsMount) }},
		{now.Add(shrinkAfter), func() { shrink(r.o.Memory) }},
	}
}
