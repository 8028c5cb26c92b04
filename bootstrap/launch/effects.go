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

// Rendezvous is what a launch needs of the other hosts. *peers.Peers implements it.
type Rendezvous interface {
	// Context ends when this host has to end. Its cause says why.
	Context() context.Context
	// Members are all hosts in the order of ranks. It is empty before they are released.
	Members() []rendezvous.Member
	// Memory is how much memory entrain may use beside the ranks, in bytes.
	Memory() int64
	// Begin tells the other hosts that a rank has begun on this host.
	Begin()
	// HasBegun says whether a rank has begun on any host.
	HasBegun() bool
	// NotBegun are the hosts on which no rank has begun, in the order of ranks. Only the leader knows them.
	NotBegun() []string
	// Quiet tells the other hosts that no rank is at work on this host.
	Quiet()
	// Stopped tells the other hosts that this host got SIGTERM.
	Stopped()
	// Fault tells the other hosts why the job fails. The host is this one or, on the leader, any host.
	Fault(host string, e rendezvous.End)
	// Explain keeps what the launcher says about the job's first failure, and its last lines: see
	// rendezvous.Session.Explain.
	Explain(explanations []string, last string)
	// End tells the other hosts how this host's work ended. follows says whether another failure is the
	// reason.
	End(err error, follows bool)
	// Listen listens at this host's address and port for the agents of other hosts.
	Listen(ctx context.Context) (net.Listener, error)
	// Homes are the addresses at which other hosts may find this host; none means all addresses.
	Homes(ctx context.Context) []netip.Addr
}

// Effects are what a launch does to its own host. Tests use stand-ins.
type Effects struct {
	// Supervise runs the launcher until it and all daemons have ended. With an empty cmd it only waits for the
	// daemons. It calls o.Stop and o.Ended as proc.Run does.
	Supervise func(ctx context.Context, cmd proc.Cmd, o proc.Options) (proc.Exit, error)
	// Start starts a daemon beside the launcher. The function ended is called once with the daemon's exit code.
	Start func(cmd proc.Cmd, files [3]*os.File, ended func(code int)) (kill func(), err error)
	// SetDeadline sends SIGTERM and SIGKILL, after these times from now, to the processes that are left. It
	// never moves an earlier deadline to a later time.
	SetDeadline func(term, kill time.Duration)
	// OOMKills counts the processes of this container that the kernel has killed so far for lack of memory.
	OOMKills func() int
	// ReachOf says how far the programs of this host have come with connections to addresses, and for which of
	// them: see remote.ReachOf.
	ReachOf func(addrs []netip.AddrPort) (remote.Reach, netip.AddrPort)
	// Dial connects to an address.
	Dial func(ctx context.Context, addr netip.AddrPort) (io.Closer, error)
	// Serve listens in a directory for the calls of the launcher and of the ranks.
	Serve func(dir string, h Calls) (io.Closer, error)
}

// Calls are the calls that the launcher and the ranks of this host make.
type Calls struct {
	// Remote starts a daemon on a host and waits for its exit code. ctx ends when the process that asked has
	// ended.
	Remote func(ctx context.Context, host string, words []string, files [3]*os.File) (code int, err error)
	// Began says that a rank has begun.
	Began func(r Rank)
	// Raised says that the trainer of a rank has raised an exception and has not ended since.
	Raised func(r Rank, text string)
}

// Rank is a rank of this host, as its entrain run sees it.
type Rank interface {
	Number() int
	Stop()                 // sends SIGTERM to its trainer
	Leave()                // allows it to leave when its trainer has ended
	Done() <-chan struct{} // closed when its trainer has ended
	// End says how its trainer ended. told is false where its wrapper ended without telling. Call it after Done.
	End() (end remote.RankEnd, told bool)
	Rest() []byte // what its trainer had written to stderr and its wrapper has not passed on; call it after Done
}

// realEffects are the effects of a process that has taken over its signals.
func realEffects(signals *proc.Signals) Effects {
	leash, guests := proc.NewLeash(signals), &proc.Guests{}
	return Effects{
		Supervise: func(ctx context.Context, cmd proc.Cmd, o proc.Options) (proc.Exit, error) {
			o.Guests, o.Leash = guests, leash
			return proc.Run(ctx, signals, cmd, o)
		},
		Start: func(cmd proc.Cmd, files [3]*os.File, ended func(code int)) (kill func(), err error) {
			return guests.Start(cmd, [3]uintptr{files[0].Fd(), files[1].Fd(), files[2].Fd()}, ended)
		},
		SetDeadline: leash.Shorten,
		OOMKills:    proc.OOMKills,
		ReachOf:     remote.ReachOf,
		Dial: func(ctx context.Context, addr netip.AddrPort) (io.Closer, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr.String())
		},
		Serve: func(dir string, c Calls) (io.Closer, error) {
			local, err := remote.Listen(dir, remote.Handlers{
				Remote: c.Remote,
				Joined: func(r *remote.RankConn) { c.Began(connected{r}) },
				Raised: func(r *remote.RankConn, text string) { c.Raised(connected{r}, text) },
			})
			return closer{local}, err
		},
	}
}

// connected is a rank that is connected to this process by a socket.
type connected struct{ *remote.RankConn }

// Number is the number of the rank in the job.
func (c connected) Number() int { return c.Rank }

// closer makes an io.Closer of the socket that the launcher and the ranks call.
type closer struct{ *remote.Local }

// Close ends all calls. Its error is always nil.
func (c closer) Close() error {
	c.Local.Close()
	return nil
}
