package launch

import (
	"context"
	"crypto/ed25519"
	"errors"
	"os"

	"entrain/bootstrap/peers"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report/cause"
	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
)

// agent starts the launcher's daemons on other hosts. On a worker it also takes the requests of other hosts.
type agent interface {
	// connect begins to connect to the other hosts. It is called when all hosts are released.
	connect(members []rendezvous.Member) error
	// exec runs a command on a host, given by the words that a remote shell gets, and returns its exit code. The
	// error is a *remote.LostError where the host is lost.
	exec(host string, words []string, files [3]*os.File) (int, error)
	close()
}

// builtin is the agent that is part of entrain run. It speaks the SSH protocol, with keys that are made from
// the cluster key.
type builtin struct {
	server  *remote.Server // on the workers only: on the leader the rendezvous uses the port
	pool    *remote.Pool
	ctx     context.Context
	cancel  context.CancelFunc
	workers []string // the hosts that train together with the leader
}

// realAgent makes the agent that the plan names. On a worker the agent listens for the leader.
func (h *Host) realAgent(ctx context.Context) (agent, error) {
	if h.launch.Agent == plan.AgentOpenSSH {
		return h.newOpenSSH(ctx)
	}
	r := h.plan.Rendezvous
	key, err := rendezvous.ParseKey(r.Key.Text())
	if err != nil {
		return nil, err // it does not happen: the rendezvous has parsed the same key
	}
	c := remote.Config{
		Self: r.Host, Hosts: hostNames(h.launch),
		KeyPair: func(label string) (ed25519.PrivateKey, error) { return key.KeyPair(r.Job, label) },
		Port:    r.Port, PeerTimeout: r.PeerTimeout, Lookup: peers.Lookup(r), Start: h.startForOthers,
		Diagnose: func(err error, reached bool) string { return rendezvous.Diagnose(err, "it", reached) },
		Warn:     func(text string) { h.log.Warn().Msg(cause.OneLine(text)) },
	}
	pool, err := remote.NewPool(c)
	if err != nil {
		return nil, err
	}
	a := &builtin{pool: pool, workers: c.Hosts[1:]}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	if h.machine.leads {
		return a, nil
	}
	listener, err := h.rendezvous.Listen(ctx)
	if err != nil {
		return nil, err
	}
	a.server, err = remote.Serve(c, listener)
	return a, err
}

// connect connects the leader to all workers before the launcher asks for them. A worker connects to another
// worker only when the launcher asks: some launchers start their daemons as a tree.
func (a *builtin) connect([]rendezvous.Member) error {
	if a.server == nil {
		a.pool.Connect(a.ctx, a.workers)
	}
	return nil
}

func (a *builtin) exec(host string, words []string, files [3]*os.File) (int, error) {
	code, err := a.pool.Exec(a.ctx, host, words, files)
	if lost, ok := errors.AsType[*remote.LostError](err); ok {
		lost.Why = cause.OneLine(lost.Why) // it may hold what the other host said
	}
	if err != nil && a.ctx.Err() != nil {
		err = givenUp(host) // close was called
	}
	return code, err
}

func (a *builtin) close() {
	a.cancel()
	a.pool.Close()
	if a.server != nil {
		a.server.Close()
	}
}
