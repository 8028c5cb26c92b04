package launch

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
	"entrain/proc"
)

// Rendezvous is what a launch needs of the other hosts. A *peers.Peers is one.
type Rendezvous interface {
	// Context ends when this host should.
	Context() context.Context
	// Members are all hosts in the order of ranks, once they are released.
	Members() []rendezvous.Member
	// Memory is what entrain may use beside the ranks, in bytes.
	Memory() int64
	// Begin tells that a rank has begun here, and HasBegun says whether one has on any host.
	Begin()
	HasBegun() bool
	// Quiet tells that no rank is at work here, Stopped that this host got SIGTERM.
	Quiet()
	Stopped()
	// Fault tells why the job fails, of this host or, on the leader, of another one.
	Fault(host string, e rendezvous.End)
	// End tells how this host's work ended, and whether that follows from another failure.
	End(err error, follows bool)
	// Listen listens for the leader's agent. Home is the address that peers find this host at.
	Listen(ctx context.Context) (net.Listener, error)
	Home(ctx context.Context) netip.Addr
}

// World is what a launch does to its own host. A test puts stand-ins in its place.
type World struct {
	// Supervise runs the launcher, or where cmd is empty only the daemons, until all have ended. It calls o.Stop and o.Ended
	// as proc.Run does.
	Supervise func(ctx context.Context, cmd proc.Cmd, o proc.Options) (proc.Exit, error)
	// Start starts a daemon beside the launcher. Ended is called once with its exit code.
	Start func(cmd proc.Cmd, files [3]*os.File, ended func(code int)) (kill func(), err error)
	// SetDeadline sends SIGTERM and SIGKILL to what is left at the latest after these times.
	SetDeadline func(term, kill time.Duration)
	// OOMKills counts the processes that the kernel has killed for lack of memory so far.
	OOMKills func() int
	// Serve listens in a directory for the launcher's and the ranks' calls.
	Serve func(dir string, h Calls) (io.Closer, error)
}

// Calls are what the launcher and the ranks of this host ask for.
type Calls struct {
	// Remote starts a daemon on a host and waits for its exit code. Its context ends when whoever asked is gone.
	Remote func(ctx context.Context, host string, words []string, files [3]*os.File) (code int, err error)
	// Began is called when a rank has begun.
	Began func(r Rank)
}

// Rank is a rank of this host.
type Rank interface {
	Number() int
	Stop()                 // sends SIGTERM to its trainer
	Leave()                // lets it leave when its trainer has ended
	Done() <-chan struct{} // closed when its trainer has ended
	End() (end remote.RankEnd, told bool)
}

// realWorld is the world of a process with these signals.
func realWorld(signals *proc.Signals) World {
	leash, guests := proc.NewLeash(signals), &proc.Guests{}
	return World{
		Supervise: func(ctx context.Context, cmd proc.Cmd, o proc.Options) (proc.Exit, error) {
			o.Guests, o.Leash = guests, leash
			return proc.Run(ctx, signals, cmd, o)
		},
		Start: func(cmd proc.Cmd, files [3]*os.File, ended func(code int)) (kill func(), err error) {
			return guests.Start(cmd, [3]uintptr{files[0].Fd(), files[1].Fd(), files[2].Fd()}, ended)
		},
		SetDeadline: leash.Shorten,
		OOMKills:    proc.OOMKills,
		Serve: func(dir string, c Calls) (io.Closer, error) {
			local, err := remote.Listen(dir, remote.Handlers{
				Remote: c.Remote,
				Joined: func(r *remote.RankConn) { c.Began(connected{r}) },
			})
			return closer{local}, err
		},
	}
}

// connected is a rank that talks to this process by a socket.
type connected struct{ *remote.RankConn }

// Number is the rank's number in the job.
func (c connected) Number() int { return c.Rank }

// closer closes the socket that the launcher and the ranks call.
type closer struct{ *remote.Local }

// Close ends all calls.
func (c closer) Close() error {
	c.Local.Close()
	return nil
}
