package launch

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"entrain/bootstrap/output"
	"entrain/bootstrap/plan"
	"entrain/bootstrap/report/cause"
	"entrain/bootstrap/world"
	"entrain/contract"
	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
	"entrain/proc"
)

// openSSH is the agent that uses the image's ssh and sshd. The hosts tell each other their public keys by the
// rendezvous, so these keys are only as trustworthy as the rendezvous is.
type openSSH struct {
	host   *Host
	config remote.OpenSSH

	mu     sync.Mutex
	kills  map[int]func() // by ID, for each running ssh, and for sshd with ID 0
	lastID int
}

// newOpenSSH makes the agent, and on a worker starts sshd. It is called before the hosts are released: a
// released leader finds sshd running.
func (h *Host) newOpenSSH(ctx context.Context) (agent, error) {
	r := h.plan.Rendezvous
	a := &openSSH{host: h, kills: map[int]func(){}, config: remote.OpenSSH{
		Dir: h.launch.Dir, Port: r.Port, Listen: h.rendezvous.Homes(ctx), PeerTimeout: r.PeerTimeout,
		Command: h.launch.Dir + "/" + plan.FileRsh,
	}}
	files := map[string]string{
		remote.FileKey: string(h.privateKey), remote.FileAuthorized: "", remote.FileKnownHosts: "",
		remote.FileClient: a.config.Client(), remote.FileServer: a.config.Server(),
	}
	for name, text := range files {
		if err := a.writeFile(name, text); err != nil {
			return nil, err
		}
	}
	if h.machine.leads {
		return a, nil
	}
	return a, a.startServer()
}

// writeFile writes a file of ssh or sshd into the launch's directory.
func (a *openSSH) writeFile(name, text string) error {
	return output.Atomically(a.config.Dir+"/"+name, strings.NewReader(text), 0o600)
}

// startServer starts sshd. An sshd that ends before the launcher fails the job.
func (a *openSSH) startServer() error {
	if os.Getuid() == 0 {
		// sshd of root needs this directory for its privilege separation. If it is missing, sshd says so.
		_ = os.MkdirAll("/run/sshd", 0o755) //nolint:gosec // sshd wants it readable for everybody
	}
	path, _ := contract.Getenv(a.host.plan.Command.Env, "PATH")
	sshd, err := proc.Find("sshd", []string{"PATH=" + path + world.SystemPath})
	if err != nil {
		return &proc.StartError{Program: "sshd", Code: 127, Err: err}
	}
	log := a.config.Dir + "/sshd.log"
	argv := []string{sshd, "-D", "-f", a.config.Dir + "/" + remote.FileServer, "-E", log}
	a.kills[0], err = a.start(argv, nil, func(code int) {
		at := time.Now()
		a.host.work.Go(func() { a.serverEnded(code, at, log) })
	})
	return err
}

// serverEnded fails the job after the end of sshd, unless the launcher ends at the same time.
func (a *openSSH) serverEnded(code int, at time.Time, log string) {
	if a.host.awaitOver(messageBound) {
		return
	}
	said, _ := os.ReadFile(log)
	text := fmt.Sprintf("sshd ended with exit code %d: %s", code, cause.Cause(said, cause.End{Code: code}))
	a.host.tellFault(a.host.name(), rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: at})
}

// start starts ssh or sshd. files are its standard streams; nil stands for /dev/null. The function ended is
// called once with its exit code.
func (a *openSSH) start(argv []string, files []*os.File, ended func(code int)) (kill func(), err error) {
	if files == nil {
		null, err := proc.Null()
		if err != nil {
			return nil, err
		}
		defer null.Close()
		files = []*os.File{null, null, null}
	}
	cmd := proc.Cmd{Argv: argv, Env: a.host.plan.Command.Env, Dir: "/"}
	return a.host.effects.Start(cmd, [3]*os.File(files), ended)
}

// connect tells ssh and sshd the public keys of the other hosts.
func (a *openSSH) connect(members []rendezvous.Member) error {
	var known strings.Builder
	for _, m := range members {
		if m.PublicKey == "" {
			continue // this host belongs to a group that launches nothing
		}
		if !remote.IsPublic(m.PublicKey) {
			return fmt.Errorf("%s sent something that is not a public key", m.Host)
		}
		known.WriteString(a.config.KnownHost(m.Host, m.PublicKey))
	}
	if err := a.writeFile(remote.FileKnownHosts, known.String()); err != nil {
		return err
	}
	// Only the leader, the first member, may start daemons.
	return a.writeFile(remote.FileAuthorized, a.config.Authorize(members[0].PublicKey))
}

// exec runs one ssh. The exit code 255 is ssh's own: it cannot reach the host, or has lost it.
func (a *openSSH) exec(host string, words []string, files [3]*os.File) (int, error) {
	ended := make(chan int, 1)
	argv := append([]string{"ssh", "-T", "-F", a.config.Dir + "/" + remote.FileClient, "--", host}, words...)
	a.mu.Lock()
	kill, err := a.start(argv, files[:], func(code int) { ended <- code })
	a.lastID++
	id := a.lastID
	if err == nil {
		a.kills[id] = kill
	}
	a.mu.Unlock()
	if err != nil {
		return remote.CodeSSHError, err
	}
	code, err := a.host.awaitDaemon(ended)
	a.mu.Lock()
	delete(a.kills, id)
	a.mu.Unlock()
	if err == nil && code == remote.CodeSSHError {
		const why = "ssh cannot reach it, or has lost it (its own words are in the leader's log)"
		return code, &remote.LostError{Host: host, Why: why}
	}
	return code, err
}

// close kills every running ssh, and sshd.
func (a *openSSH) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, kill := range a.kills {
		if kill != nil {
			kill()
		}
	}
}
