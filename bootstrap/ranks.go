package bootstrap

import (
	"errors"
	"fmt"
	"time"

	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/mpi/remote"
	"entrain/proc"
)

// secondary is what Open MPI 5 ends the peers of a rank with that has died ("Socket closed"), often before that one's end is
// known.
const secondary = 14

// joined: a rank of this host has begun.
func (l *launching) joined(r *remote.RankConn) {
	l.mu.Lock()
	l.ranks = append(l.ranks, r)
	l.working++
	failing := l.failing
	stopping := failing || l.stopping && !l.launch.Script // a script may start ranks that save
	l.mu.Unlock()
	if l.m != nil {
		l.m.session.Begin()
	}
	if stopping {
		r.Stop()
	}
	if failing {
		r.Leave()
	}
	l.attended.Go(func() { l.attend(r) })
}

// attend waits for the end of a rank's trainer. One that fails fails the job, named: the launcher may not notice it (MPICH
// waits for ever), and says less of it.
func (l *launching) attend(r *remote.RankConn) {
	<-r.Done()
	f, own := l.outcome(r)
	l.mu.Lock()
	if weight := weigh(f, own); weight > l.weight {
		l.failed, l.weight = &rendezvous.PeerError{Host: l.host(), Code: f.Code, Text: f.Text}, weight
	}
	l.working--
	quiet := l.working == 0 && l.stopping
	l.mu.Unlock()
	if quiet {
		l.quiet()
	}
	if f.Code != 0 && !l.launch.Script && (own || !l.isOver(l.patience())) {
		l.fault(l.host(), f)
	}
}

// How much a rank's end says about why the job failed, the least first.
const (
	endOfSuccess = iota
	endByLauncher
	endOfConsequence
	endOfCause
)

func weigh(f rendezvous.End, own bool) int {
	switch {
	case f.Code == 0:
		return endOfSuccess
	case !own:
		return endByLauncher
	case f.Follows:
		return endOfConsequence
	}
	return endOfCause
}

// outcome is how a rank ended, and whether it did so of its own: what the launcher itself has ended says nothing, unless the
// launcher has nothing to say.
func (l *launching) outcome(r *remote.RankConn) (f rendezvous.End, own bool) {
	end, told := r.End()
	switch {
	case told:
		follows := l.launch.Launcher.Family == mpi.FamilyOpenMPI5 && end.Code == secondary
		return rendezvous.End{Code: end.Code, Text: fmt.Sprintf("rank %d: %s", r.Rank, end.Text), At: end.At, Follows: follows}, !end.Told
	case proc.OOMKills() > l.ooms: // Open MPI 5 may kill the wrapper while the kernel still takes the rank's memory back
		return rendezvous.End{Code: 137, Text: "a rank: killed by SIGKILL, out of memory (the kernel killed a process of this container)", At: time.Now()}, true
	}
	// Nothing but SIGKILL keeps it from telling its end.
	return rendezvous.End{Code: 137, Text: fmt.Sprintf("rank %d: killed by SIGKILL", r.Rank), At: time.Now()}, false
}

func (l *launching) host() string { return l.launch.Host }

// stop is what Run calls for a SIGTERM, with nil, and when another host ends this one.
//
// The launcher is not asked: Open MPI would kill the ranks a second after their SIGTERM. Each host sends its own ranks
// SIGTERM, once, and they stay until all have saved what they save.
func (l *launching) stop(cause error) {
	if _, over := errors.AsType[*rendezvous.OverError](cause); over {
		l.leash.Shorten(settle/8, settle/3) // the daemons are about to go
		return
	}
	l.mu.Lock()
	again := l.stopping && cause == nil
	l.stopping = true
	l.failing = l.failing || cause != nil
	ranks, working := l.ranks, l.working
	l.mu.Unlock()
	if again {
		return // who stops a whole cluster sends one to each host
	}
	l.stopped = time.Now()
	for _, r := range ranks {
		r.Stop()
		if cause != nil {
			r.Leave()
		}
	}
	if cause != nil {
		l.leash.Shorten(l.fuse(), l.fuse()*3/2)
		return
	}
	l.loosen(working)
	if l.m != nil {
		l.m.session.Stopped()
	}
	if working == 0 {
		l.quiet()
	}
}

// loosen gives a stop its grace. A launcher is asked shortly before its end: it still knows best how to end.
func (l *launching) loosen(working int) {
	grace := l.plan.End.Grace
	switch {
	case !l.launches():
		l.leash.Shorten(grace, grace)
	case l.launch.Script && working == 0:
		l.leash.Shorten(0, grace) // what it has started is its own to stop
	case !l.launch.Script && !l.hasBegun():
		l.abort()
	default:
		l.leash.Shorten(grace-min(grace/6, 15*time.Second), grace)
	}
}

// hasBegun says whether a rank has begun, on any host.
func (l *launching) hasBegun() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ranks) > 0 || l.m != nil && l.m.session.HasBegun()
}

// abort ends a launch in which no rank has begun: a launcher waits for its agents, Open MPI 5 for ever.
func (l *launching) abort() {
	if l.agent != nil {
		l.agent.close()
	}
	l.leash.Shorten(0, l.fuse())
}

// fuse is how long a launcher and its ranks may take to end by themselves once the job has failed: a loss is noticed
// within ten twelfths of the peer timeout, and a fuse and a half ends it.
func (l *launching) fuse() time.Duration {
	if l.m == nil {
		return rankFuse
	}
	return l.m.plan.PeerTimeout / 12
}

// patience is how long a launcher that is ending a job's ranks may take until it says why.
func (l *launching) patience() time.Duration { return min(quietFuse, 3*l.fuse()) }

const (
	// rankFuse is the fuse of a host alone.
	rankFuse = 2500 * time.Millisecond
	// quietFuse is how long a launcher may take to end once all its ranks have: Open MPI 4 takes up to three seconds.
	quietFuse = 5 * time.Second
)

// quiet: the trainers of this host's ranks have ended after a stop.
func (l *launching) quiet() {
	if l.m == nil {
		l.hush()
		return
	}
	l.m.session.Quiet()
}

// allQuiet: so have those of all hosts, and nobody can be cut short any more.
func (l *launching) allQuiet() {
	l.mu.Lock()
	ranks := l.ranks
	l.mu.Unlock()
	for _, r := range ranks {
		r.Leave()
	}
	if l.launches() && !l.launch.Script { // a script may have more to do
		l.leash.Shorten(quietFuse, 2*quietFuse)
	}
}
