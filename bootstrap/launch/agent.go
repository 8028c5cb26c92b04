package launch

import (
	"context"
	"crypto/ed25519"
	"os"

	"entrain/bootstrap/peers"
	"entrain/bootstrap/plan"
	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
)

// agent is what starts the launcher's daemons on other hosts, and on this one for them.
type agent interface {
	// connect begins to connect to the other hosts, once all are released.
	connect(members []rendezvous.Member) error
	// exec runs a remote shell's words on a host until they end. A host that is lost is a *remote.LostError.
	exec(host string, words []string, files [3]*os.File) (int, error)
	close()
}

// builtin is run itself: the SSH protocol between the hosts of a job, by keys from the cluster key.
type builtin struct {
	server  *remote.Server // on the workers: the leader's port is the rendezvous'
	pool    *remote.Pool
	ctx     context.Context
	cancel  context.CancelFunc
	workers []string // those that train together with the leader
}

// realAgent is the agent of the plan. On a worker it listens for the leader.
func (h *Host) realAgent(ctx context.Context) (agent, error) {
	if h.launch.Agent == plan.AgentOpenSSH {
		return h.newOpenSSH(ctx)
	}
	r := h.plan.Rendezvous
	key, err := rendezvous.ParseKey(r.Key.Text())
	if err != nil {
		return nil, err // the rendezvous has taken it
	}
	c := remote.Config{
		Self: r.Host, Hosts: namesOf(h.launch),
		KeyPair: func(label string) (ed25519.PrivateKey, error) { return key.KeyPair(r.Job, label) },
		Port:    r.Port, PeerTimeout: r.PeerTimeout, Lookup: peers.Lookup(r), Start: h.startDaemon,
		Warn: func(text string) { h.log.Warn().Msg(text) },
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

// connect: the leader is connected to all before the launcher asks; the others are when a launcher makes a tree.
func (a *builtin) connect([]rendezvous.Member) error {
	if a.server == nil {
		a.pool.Connect(a.ctx, a.workers)
	}
	return nil
}

func (a *builtin) exec(host string, words []string, files [3]*os.File) (int, error) {
	code, err := a.pool.Exec(a.ctx, host, words, files)
	if err != nil && a.ctx.Err() != nil {
		err = errGivenUp(host)
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
