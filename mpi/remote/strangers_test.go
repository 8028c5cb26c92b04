package remote

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// dial connects to h1 from a host.
func (n *network) dial(t *testing.T, from int) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: address(from).AsSlice()}, Timeout: testTimeout}
	conn, err := dialer.Dial("tcp", fmt.Sprintf("127.2.0.1:%d", n.port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// connectAs connects to h1 as a client that the test configures. The client knows the server's key already,
// which must not help a stranger.
func (n *network) connectAs(t *testing.T, from int, change func(*ssh.ClientConfig)) (ssh.Conn, error) {
	t.Helper()
	c := n.config(0)
	config, err := c.clientConfig("h1")
	if err != nil {
		t.Fatal(err)
	}
	change(config)
	conn, channels, requests, err := ssh.NewClientConn(n.dial(t, from), "h1", config)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	go ssh.DiscardRequests(requests)
	go func() {
		for channel := range channels {
			t.Errorf("the server opens a channel: %s", channel.ChannelType())
		}
	}()
	return conn, nil
}

// checkJobGoesOn runs a command on h1.
func (n *network) checkJobGoesOn(t *testing.T, p *Pool) {
	t.Helper()
	s := newStreams(t)
	if code, err := p.Exec(t.Context(), "h1", []string{"exit 5"}, s.files); code != 5 || err != nil {
		t.Errorf("the job does not go on: code %d, error %v", code, err)
	}
}

// TestStrangersAreRefused: a client that is no peer of this job is not admitted, and the log says why.
func TestStrangersAreRefused(t *testing.T) {
	n := newNetwork(t, 20)
	n.serve(t, 1)
	p := n.pool(t, 0)
	derive := func(role, host string, change func(*Config)) []ssh.AuthMethod {
		c := n.config(0)
		change(&c)
		signer, err := c.signer(role, host)
		if err != nil {
			t.Fatal(err)
		}
		return []ssh.AuthMethod{ssh.PublicKeys(signer)}
	}
	unchanged := func(*Config) {}
	otherJob := func(c *Config) { c.KeyPair = pairsOf("s of another job") }
	otherCluster := func(c *Config) { c.KeyPair = pairsOf("other") }
	_, random, _ := ed25519.GenerateKey(nil)
	unknown, _ := ssh.NewSignerFromKey(random)
	right := derive(roleClient, "h0", unchanged)
	noAnswers := func(string, string, []string, []bool) ([]string, error) { return nil, nil }
	passwords := []ssh.AuthMethod{ssh.Password("secret"), ssh.KeyboardInteractive(noAnswers)}
	const noKey = "came without a key"
	const wrongKey = "it says that it is h0, but has not that host's key for this cluster and job"
	for _, c := range []struct {
		what string
		from int
		user string
		auth []ssh.AuthMethod
		warn string
	}{
		{"no key", 11, "h0", nil, noKey},
		{"a password", 12, "h0", passwords, noKey},
		{"any key", 13, "h0", []ssh.AuthMethod{ssh.PublicKeys(unknown)}, wrongKey},
		{"another job's key", 14, "h0", derive(roleClient, "h0", otherJob), wrongKey},
		{"another cluster's key", 15, "h0", derive(roleClient, "h0", otherCluster), wrongKey},
		{"a server's key", 16, "h0", derive(roleServer, "h0", unchanged), wrongKey},
		{"another host's key", 17, "h0", derive(roleClient, "h2", unchanged), wrongKey},
		{
			"the right key from another host's address", 18, "h0", right,
			"it says that it is h0, but that name resolves to [127.2.0.0] here",
		},
		{"the right key from a third host's address", 2, "h0", right, "it says that it is h0, but"},
		{"an unknown host", 19, "h21", derive(roleClient, "h21", unchanged), `"h21" is not a host of this job`},
		{
			"the right key from no host's address", 21, "h0", right,
			"the name of no host of this job resolves to that address here",
		},
		{"root", 0, "root", right, `"root" is not a host of this job`},
	} {
		configure := func(config *ssh.ClientConfig) { config.User, config.Auth = c.user, c.auth }
		if _, err := n.connectAs(t, c.from, configure); err == nil {
			t.Errorf("%s: was admitted", c.what)
		}
		warning := fmt.Sprintf("127.2.0.%d was refused: %s", c.from, c.warn)
		waitUntil(t, "the warning about "+c.what, func() bool { return n.hasWarned(warning) })
	}
	for what, change := range map[string]func(*ssh.ClientConfig){
		"older key exchange": func(c *ssh.ClientConfig) { c.KeyExchanges = []string{ssh.KeyExchangeECDHP256} },
		"older cipher":       func(c *ssh.ClientConfig) { c.Ciphers = []string{ssh.CipherAES128CTR} },
	} {
		if _, err := n.connectAs(t, 0, change); err == nil {
			t.Errorf("%s: was admitted", what)
		}
	}
	n.checkJobGoesOn(t, p)
}

// TestPeersGetNothingButExec: a client with the right key gets a session with one exec, and nothing else.
func TestPeersGetNothingButExec(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	conn, err := n.connectAs(t, 0, func(*ssh.ClientConfig) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, channel := range []string{
		"direct-tcpip", "forwarded-tcpip", "direct-streamlocal@openssh.com", "x11", "auth-agent@openssh.com",
		"tun@openssh.com", "",
	} {
		payload := ssh.Marshal(struct {
			Host string
			Port uint32
			From string
			At   uint32
		}{"127.0.0.1", 22, "127.0.0.1", 1})
		_, _, err := conn.OpenChannel(channel, payload)
		if err == nil || !strings.Contains(err.Error(), "administratively prohibited") {
			t.Errorf("channel %q: %v", channel, err)
		}
	}
	for _, request := range []string{
		"tcpip-forward", "cancel-tcpip-forward", "streamlocal-forward@openssh.com", "keepalive@openssh.com",
		"no-more-sessions@openssh.com",
	} {
		if ok, _, err := conn.SendRequest(request, true, nil); ok || err != nil {
			t.Errorf("request %s: %v, %v", request, ok, err)
		}
	}
	ch, requests, err := conn.OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	go ssh.DiscardRequests(requests)
	others := []string{
		"pty-req", "x11-req", "env", "shell", "subsystem", "window-change", "signal", "auth-agent-req@openssh.com",
		"xon-xoff", "break", "",
	}
	for _, request := range others {
		if ok, err := ch.SendRequest(request, true, ssh.Marshal(execRequest{Command: "sftp"})); ok || err != nil {
			t.Errorf("session request %q: %v, %v", request, ok, err)
		}
	}
	if ok, err := ch.SendRequest("exec", true, []byte{0, 0, 0, 9, 'x'}); ok || err != nil {
		t.Errorf("an exec cut short: %v, %v", ok, err)
	}
	call := ssh.Marshal(execRequest{ID: 1, Command: "cat"})
	if ok, err := ch.SendRequest("exec", true, call); ok || err != nil {
		t.Errorf("an exec of a client that has not said which sessions it wants: %v, %v", ok, err)
	}
	if ok, _, err := conn.SendRequest(requestSessions, true, []byte{1}); ok || err != nil {
		t.Errorf("a list of sessions cut short: %v, %v", ok, err)
	}
	wanted := sessionsRequest{Client: "c"}
	if ok, _, err := conn.SendRequest(requestSessions, true, ssh.Marshal(wanted)); !ok || err != nil {
		t.Fatalf("%s: %v, %v", requestSessions, ok, err)
	}
	unknown := ssh.Marshal(execRequest{ID: 2, Resumed: true, Command: "cat"})
	if ok, err := ch.SendRequest("exec", true, unknown); ok || err != nil {
		t.Errorf("a session that the server does not know goes on: %v, %v", ok, err)
	}
	if ok, err := ch.SendRequest("exec", true, call); !ok || err != nil {
		t.Fatalf("exec: %v, %v", ok, err)
	}
	for _, request := range append(others, "exec") {
		if ok, err := ch.SendRequest(request, true, call); ok || err != nil {
			t.Errorf("session request %q after exec: %v, %v", request, ok, err)
		}
	}
	s, out := newSession(clientSends), &strings.Builder{}
	go s.carry(ch)
	_, _ = io.WriteString(streamWriter{s, stdinStream}, "one")
	streamWriter{s, stdinStream}.end()
	if s.deliver(stdoutStream, out); out.String() != "one" {
		t.Errorf("%q", out)
	}
	s.finish()
}
