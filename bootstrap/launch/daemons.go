package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"entrain/bootstrap/plan"
	"entrain/hostwait/rendezvous"
	"entrain/mpi"
	"entrain/mpi/remote"
	"entrain/proc"
)

// runDaemon starts a daemon of the launcher on a host and returns the daemon's exit code. The launcher asks
// for it by an rsh of this host. The context rsh ends when that process has ended; the daemon then ends by
// itself.
func (h *Host) runDaemon(rsh context.Context, host string, words []string, files [3]*os.File) (int, error) {
	if host == remote.ThisHost {
		return h.runDaemonForSSH(words, files)
	}
	defer h.daemons.Begin()()
	ended := make(chan struct{})
	defer close(ended)
	stop := context.AfterFunc(rsh, func() { h.rshGone(host, ended) })
	defer stop()
	run := h.runDaemonHere
	if h.agent != nil && host != h.name() {
		run = h.agent.exec
	}
	code, err := run(host, words, files)
	if _, lost := errors.AsType[*remote.LostError](err); lost && h.isFailing() {
		err = givenUp(host) // all hosts end, and that one has ended first
	}
	if err != nil {
		code = cmp.Or(code, remote.CodeSSHError) // an error never has exit code 0
	}
	if code != 0 || err != nil {
		h.daemonFailed(host, code, err)
	}
	return code, err
}

// givenUp is the error of a daemon that nobody needs any more.
func givenUp(host string) error { return fmt.Errorf("the launch on %s was given up", host) }

// isFailing says whether all hosts end because the job has failed.
func (h *Host) isFailing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.machine.phase() == failing
}

// runDaemonHere runs a daemon on this host, whatever the host's name. Hydra asks for that when it does not
// know this host by its name.
func (h *Host) runDaemonHere(_ string, words []string, files [3]*os.File) (int, error) {
	ended := make(chan int, 1)
	if _, err := h.startDaemon(words, files, func(code int) { ended <- code }); err != nil {
		return remote.CodeNotStarted, err
	}
	return h.awaitDaemon(ended)
}

// runDaemonForSSH runs a daemon of this host that the leader has asked for by OpenSSH. This host tells of its
// failure: the leader's ssh does not end as long as a rank holds the daemon's output open.
func (h *Host) runDaemonForSSH(words []string, files [3]*os.File) (int, error) {
	code, ended := remote.CodeNotStarted, make(chan int, 1)
	_, err := h.startForOthers(words, files, func(code int) { ended <- code })
	if err == nil {
		code, err = h.awaitDaemon(ended)
	}
	if h.context().Err() == nil && (code != 0 || err != nil) {
		h.daemonFailed(h.name(), code, err)
	}
	return code, err
}

// startForOthers is startDaemon for another host, which may know of the release before this host does.
func (h *Host) startForOthers(
	words []string, files [3]*os.File, ended func(code int),
) (kill func(), err error) {
	select {
	case <-h.ready:
		return h.startDaemon(words, files, ended)
	case <-h.closed:
		return nil, errors.New("entrain on this host has ended")
	}
}

// startDaemon starts a daemon on this host, given by the words that a remote shell gets. The function ended
// is called once with the daemon's exit code.
func (h *Host) startDaemon(words []string, files [3]*os.File, ended func(code int)) (kill func(), err error) {
	env := h.environment()
	daemon, err := mpi.ParseDaemon(words, env)
	if err != nil {
		return nil, err
	}
	env = append(daemon.Env, env...) // the first of two variables with the same name counts
	cmd := proc.Cmd{Argv: daemon.Argv, Env: env, Dir: h.plan.Command.Dir}
	over := make(chan int, 1)
	kill, err = h.effects.Start(cmd, files, func(code int) {
		over <- code
		ended(code)
	})
	if err != nil {
		h.daemonNotStarted(err)
		return nil, err
	}
	h.work.Go(func() { h.watchPort(daemon, over) })
	return kill, nil
}

// daemonNotStarted tells why a worker cannot start a daemon, as for lack of processes. The leader hears only
// the exit code from its agent, and Hydra may go on without the daemon.
func (h *Host) daemonNotStarted(err error) {
	if h.rendezvous == nil || h.machine.leads || h.launch.Script {
		return // the caller knows the error, or the script decides what to do about it
	}
	end := rendezvous.End{Code: remote.CodeNotStarted, Text: err.Error(), At: time.Now()}
	h.handle(daemonHelpless, nil, &launchFailure{h.name(), end})
}

// awaitDaemon waits for the exit code of a daemon of this host, at the longest until Close: a daemon may
// outlive SIGKILL.
func (h *Host) awaitDaemon(ended <-chan int) (int, error) {
	select {
	case code := <-ended:
		return code, nil
	case <-h.closed:
		return remote.CodeSSHError, errors.New("entrain on this host has ended")
	}
}

// rshGone is called when an rsh has ended before the daemon that it asked for: somebody has killed the rsh,
// or it could not go on. A launcher that ends may do that itself. If the launcher goes on, the killed rsh is
// why the job fails, unless another cause is known: Open MPI takes a killed rsh for a lost host, and MPICH
// waits for ever for a daemon that has not connected.
func (h *Host) rshGone(host string, ended <-chan struct{}) {
	const text = "the process that had started the launcher's daemon there was killed"
	at := time.Now()
	if h.launch.Script {
		return
	}
	tell := func() {
		h.tellFault(host, rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: at, Follows: true})
	}
	if h.hasBegun() { // a launcher that gives up before any rank has begun has a better reason
		h.mu.Lock()
		if h.reasons.tellRshKilled == nil {
			h.reasons.tellRshKilled = tell
		}
		h.mu.Unlock()
	}
	timer := time.NewTimer(explainBound)
	defer timer.Stop()
	select {
	case <-ended:
	case <-h.launcherOver:
	case <-timer.C:
		h.keepDaemonFailure(host, rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: at}, false)
		tell()
	}
}

// daemonFailed is called when a daemon did not start, or did not end with 0. Where the daemon's host was lost
// or the daemon was killed, that is the cause of what follows, and all hosts are told. Else a launcher that
// ends at the same time knows more about the cause.
func (h *Host) daemonFailed(host string, code int, err error) {
	e := daemonEnd(code, err)
	h.keepDaemonFailure(host, e, err != nil)
	_, lost := errors.AsType[*remote.LostError](err)
	switch {
	case lost || err == nil && code > 128 && !h.launch.Script:
		h.tellFault(host, e)
		return
	case h.launch.Script:
		return // the script decides what to do about it
	}
	// A daemon that ends before any rank has begun on its host may have a reason that its host tells.
	e.Follows = err == nil && h.rendezvous != nil && slices.Contains(h.rendezvous.NotBegun(), host)
	h.work.Go(func() {
		if !h.awaitOver(messageBound) {
			h.tellFault(host, e)
		}
	})
}

// daemonEnd says how a daemon failed. The exit code of it is never 0. It is rendezvous.CodeLost for a host
// that was lost, and for a host on which no command could be started at all.
func daemonEnd(code int, err error) rendezvous.End {
	text := fmt.Sprintf("the launcher's daemon ended with exit code %d", code)
	if err != nil {
		text = err.Error()
	}
	lost, isLost := errors.AsType[*remote.LostError](err)
	if isLost {
		text = lost.Text()
	}
	if isLost || err != nil && code == remote.CodeSSHError || code == 0 {
		code = rendezvous.CodeLost
	}
	return rendezvous.End{Code: code, Text: text, At: time.Now()}
}

// keepDaemonFailure keeps the first failure of a daemon, for a launcher that ends with 0 nevertheless.
// notStarted says that the daemon did not start. Its text then says more than the launcher can.
func (h *Host) keepDaemonFailure(host string, e rendezvous.End, notStarted bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reasons.daemonFailure == nil {
		h.reasons.daemonFailure = &rendezvous.PeerError{Host: h.nameOf(host), Code: e.Code, Text: e.Text}
		h.reasons.daemonFailedAt = e.At
	}
	if notStarted && h.reasons.daemonFailure.Text == e.Text {
		h.reasons.startFailure = e.Text
	}
}

// nameOf is the host that a daemon's failure is told of. That is this host where the launcher has asked for a
// host that does not belong to the job.
func (h *Host) nameOf(host string) string {
	if slices.Contains(hostNames(h.launch), host) {
		return host
	}
	return h.name()
}

// hostNames are the names of the hosts that train together.
func hostNames(l *plan.Launch) []string {
	names := make([]string, len(l.Hosts))
	for i, h := range l.Hosts {
		names[i] = h.Name
	}
	return names
}
