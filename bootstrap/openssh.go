package bootstrap

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"entrain/bootstrap/report"
	"entrain/contract"
	"entrain/hostwait/rendezvous"
	"entrain/mpi/remote"
	"entrain/proc"
)

// openSSH is the image's ssh and sshd, with keys that the hosts tell each other when they meet: as trustworthy as that is.
type openSSH struct {
	l      *launching
	config remote.OpenSSH

	mu    sync.Mutex
	kills map[int]func() // of the ssh that run, and of sshd, which is 0
	next  int
}

// newOpenSSH starts sshd on a worker, before the release: whoever is released finds it.
func (l *launching) newOpenSSH(ctx context.Context) (agent, error) {
	meet := l.plan.Meet
	a := &openSSH{l: l, kills: map[int]func(){}, config: remote.OpenSSH{
		Dir: l.launch.Dir, Port: meet.Port, Listen: l.m.session.Home(ctx), PeerTimeout: meet.PeerTimeout, Env: daemonEnv(l.plan.Command.Env),
	}}
	files := map[string]string{
		remote.FileKey: string(l.private), remote.FileAuthorized: "", remote.FileKnownHosts: "",
		remote.FileClient: a.config.Client(), remote.FileServer: a.config.Server(),
	}
	for name, text := range files {
		if err := a.write(name, text); err != nil {
			return nil, err
		}
	}
	if l.launches() {
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
	return writeAtomically(a.config.Dir+"/"+name, strings.NewReader(text), 0o600)
}

func (a *openSSH) serve() error {
	if os.Getuid() == 0 {
		_ = os.MkdirAll("/run/sshd", 0o755) //nolint:gosec // where sshd locks itself in; it says so if it is not there
	}
	path, _ := contract.Getenv(a.l.plan.Command.Env, "PATH")
	sshd, err := proc.Find("sshd", []string{"PATH=" + path + sbin})
	if err != nil {
		return &proc.StartError{Program: "sshd", Code: 127, Err: err}
	}
	log := a.config.Dir + "/sshd.log"
	a.kills[0], err = a.start([]string{sshd, "-D", "-f", a.config.Dir + "/" + remote.FileServer, "-E", log}, nil, func(code int) {
		a.l.work.Go(func() {
			if at := time.Now(); !a.l.isOver(settle) {
				said, _ := os.ReadFile(log)
				text := fmt.Sprintf("sshd ended with exit code %d: %s", code, report.Cause(said, report.End{Code: code}))
				a.l.fault(a.l.host(), rendezvous.End{Code: rendezvous.CodeLost, Text: text, At: at})
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
	cmd := proc.Cmd{Argv: argv, Env: a.l.plan.Command.Env, Dir: "/"}
	return a.l.guests.Start(cmd, [3]uintptr{files[0].Fd(), files[1].Fd(), files[2].Fd()}, ended)
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
		return 255, err
	}
	code, err := a.l.await(ended)
	a.mu.Lock()
	delete(a.kills, own)
	a.mu.Unlock()
	if err == nil && code == 255 {
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
