package launch

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"entrain/bootstrap/output"
	"entrain/bootstrap/report/cause"
	"entrain/bootstrap/world"
	"entrain/contract"
	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
	"entrain/proc"
)

// openSSH is the image's ssh and sshd, with keys that the hosts tell each other when they meet: as trustworthy as that is.
type openSSH struct {
	host   *Host
	config remote.OpenSSH

	mu    sync.Mutex
	kills map[int]func() // of the ssh that run, and of sshd, which is 0
	next  int
}

// newOpenSSH starts sshd on a worker, before the release: whoever is released finds it.
func (h *Host) newOpenSSH(ctx context.Context) (agent, error) {
	r := h.plan.Rendezvous
	a := &openSSH{host: h, kills: map[int]func(){}, config: remote.OpenSSH{
		Dir: h.launch.Dir, Port: r.Port, Listen: h.rendezvous.Home(ctx), PeerTimeout: r.PeerTimeout,
		Env: daemonEnv(h.plan.Command.Env),
	}}
	files := map[string]string{
		remote.FileKey: string(h.private), remote.FileAuthorized: "", remote.FileKnownHosts: "",
		remote.FileClient: a.config.Client(), remote.FileServer: a.config.Server(),
	}
	for name, text := range files {
		if err := a.write(name, text); err != nil {
			return nil, err
		}
	}
	if h.machine.leads {
		return a, nil
	}
	return a, a.serve()
}

// daemonEnv is what a launcher's daemon cannot do without.
func daemonEnv(env []string) []string {
	var need []string
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH"} {
		if value, ok := contract.Getenv(env, name); ok {
			need = append(need, name+"="+value)
		}
	}
	return need
}

func (a *openSSH) write(name, text string) error {
	return output.Atomically(a.config.Dir+"/"+name, strings.NewReader(text), 0o600)
}

func (a *openSSH) serve() error {
	if os.Getuid() == 0 {
		_ = os.MkdirAll("/run/sshd", 0o755) //nolint:gosec // where sshd locks itself in; it says so if it is not there
	}
	path, _ := contract.Getenv(a.host.plan.Command.Env, "PATH")
	sshd, err := proc.Find("sshd", []string{"PATH=" + path + world.SystemPath})
	if err != nil {
		return &proc.StartError{Program: "sshd", Code: 127, Err: err}
	}
	log := a.config.Dir + "/sshd.log"
	a.kills[0], err = a.start([]string{sshd, "-D", "-f", a.config.Dir + "/" + remote.FileServer, "-E", log}, nil, func(code int) {
		a.host.work.Go(func() {
			if at := time.Now(); !a.host.isOver(lastWord) {
				said, _ := os.ReadFile(log)
				text := fmt.Sprintf("sshd ended with exit code %d: %s", code, cause.Cause(said, cause.End{Code: code}))
				a.host.fault(a.host.name(), rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: at})
			}
		})
	})
	return err
}

// start starts a guest; without files it has /dev/null for all.
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
	return a.host.world.Start(cmd, [3]*os.File(files), ended)
}

// connect tells ssh and sshd the others' keys.
func (a *openSSH) connect(members []rendezvous.Member) error {
	var known strings.Builder
	for _, m := range members {
		if m.PublicKey == "" {
			continue // of a group that launches nothing
		}
		if !remote.IsPublic(m.PublicKey) {
			return fmt.Errorf("%s sent something that is not a public key", m.Host)
		}
		known.WriteString(a.config.KnownHost(m.Host, m.PublicKey))
	}
	if err := a.write(remote.FileKnownHosts, known.String()); err != nil {
		return err
	}
	return a.write(remote.FileAuthorized, a.config.Authorize(members[0].PublicKey)) // the leader alone launches
}

// exec runs one ssh. Its 255 is its own: the host cannot be reached, or is lost.
func (a *openSSH) exec(host string, words []string, files [3]*os.File) (int, error) {
	ended := make(chan int, 1)
	argv := append([]string{"ssh", "-T", "-F", a.config.Dir + "/" + remote.FileClient, "--", host}, words...)
	a.mu.Lock()
	kill, err := a.start(argv, files[:], func(code int) { ended <- code })
	a.next++
	own := a.next
	if err == nil {
		a.kills[own] = kill
	}
	a.mu.Unlock()
	if err != nil {
		return remote.CodeSSHError, err
	}
	code, err := a.host.awaitDaemon(ended)
	a.mu.Lock()
	delete(a.kills, own)
	a.mu.Unlock()
	if err == nil && code == remote.CodeSSHError {
		return code, &remote.LostError{Host: host, Why: "ssh cannot reach it, or has lost it (its own words are in the leader's log)"}
	}
	return code, err
}

// close ends what runs.
func (a *openSSH) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, kill := range a.kills {
		if kill != nil {
			kill()
		}
	}
}
