package bootstrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
	"entrain/proc"
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

// newAgent listens for the other hosts.
func (l *launching) newAgent(ctx context.Context) (agent, error) {
	if l.launch.Agent == AgentOpenSSH {
		return l.newOpenSSH(ctx)
	}
	meet := l.plan.Meet
	key, err := rendezvous.ParseKey(meet.key)
	if err != nil {
		return nil, err // the rendezvous has taken it
	}
	c := remote.Config{
		Self: meet.Host, Hosts: l.launch.names(), Job: meet.Job, Secret: key.Derive("entrain launch agent 1"),
		Port: meet.Port, PeerTimeout: meet.PeerTimeout, Lookup: meet.lookup(), Start: l.start,
		Warn: func(text string) { l.d.log.Warn().Msg(text) },
	}
	pool, err := remote.NewPool(c)
	if err != nil {
		return nil, err
	}
	a := &builtin{pool: pool, workers: c.Hosts[1:]}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	if l.launches() {
		return a, nil
	}
	listener, err := l.m.session.Listen(ctx)
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
		err = fmt.Errorf("the launch on %s was given up", host)
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

// names are the hosts that train together.
func (l *Launch) names() []string {
	var names []string
	for _, h := range l.Hosts {
		names = append(names, h.Name)
	}
	return names
}

// Rsh is what a launcher calls in place of a remote shell: it asks the run of its own host, beside whose socket it is
// linked, and ends with the exit code of what it asked for.
//
// A signal does not kill it, since Open MPI 5 takes that for a success: it gives up instead.
func Rsh(dir string, args []string) (int, error) {
	if dir == "" {
		return lostCode, &UsageError{Err: errors.New(DirVariable + " is not set: only a launcher that entrain run started can call entrain rsh")}
	}
	ctx, release := proc.Catch().Context(context.Background())
	defer release()
	type end struct {
		code int
		err  error
	}
	done := make(chan end, 1)
	go func() { // until the process ends
		code, err := remote.Rsh(dir+"/"+remote.SocketName, args, os.Stdin, os.Stdout, os.Stderr)
		if err != nil {
			code = cmp.Or(code, lostCode)
		}
		done <- end{code, err}
	}()
	select {
	case e := <-done:
		return e.code, e.err
	case <-ctx.Done():
		return lostCode, nil // whoever sent it knows
	}
}

// lostCode is ssh's for what is not the command's own exit code.
const lostCode = 255
