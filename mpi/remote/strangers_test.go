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

// dial is a connection to h1.
func (n *network) dial(t *testing.T, from int) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: address(from).AsSlice()}, Timeout: patience}
	conn, err := dialer.Dial("tcp", fmt.Sprintf("127.2.0.1:%d", n.port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// stranger is a client of whom the test decides everything. It knows the host's key: that must not help.
func (n *network) stranger(t *testing.T, from int, change func(*ssh.ClientConfig)) (ssh.Conn, error) {
	t.Helper()
	c := n.config(0)
	config, err := c.client("h1")
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

// works is that the job goes on.
func (n *network) works(t *testing.T, p *Pool) {
	t.Helper()
	s := newStreams(t)
	if code, err := p.Exec(t.Context(), "h1", []string{"exit 5"}, s.files); code != 5 || err != nil {
		t.Errorf("the job does not go on: code %d, error %v", code, err)
	}
}

// TestStrangers: whoever is no peer of this job gets in nowhere.
func TestStrangers(t *testing.T) {
	n := newNetwork(t, 20)
	n.serve(t, 1)
	p := n.pool(t, 0)
	derive := func(role, host string, change func(*Config)) ssh.AuthMethod {
		c := n.config(0)
		change(&c)
		signer, err := c.signer(role, host)
		if err != nil {
			t.Fatal(err)
		}
		return ssh.PublicKeys(signer)
	}
	same := func(*Config) {}
	_, random, _ := ed25519.GenerateKey(nil)
	unknown, _ := ssh.NewSignerFromKey(random)
	known := derive(roleClient, "h0", same)
	for _, c := range []struct {
		what string
		from int
		user string
		auth []ssh.AuthMethod
		warn string // empty for none
	}{
		{"no key", 11, "h0", nil, "127.2.0.11 was refused: came without a key"},
		{"a password", 12, "h0", []ssh.AuthMethod{ssh.Password("secret"), ssh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return nil, nil })}, "127.2.0.12 was refused: came without a key"},
		{"any key", 13, "h0", []ssh.AuthMethod{ssh.PublicKeys(unknown)}, "127.2.0.13 was refused: it says that it is h0, but has not that host's key for this cluster and job"},
		{"another job's key", 14, "h0", []ssh.AuthMethod{derive(roleClient, "h0", func(c *Config) { c.Job = "arn:other" })}, "127.2.0.14 was refused: it says that it is h0, but has not"},
		{"another cluster's key", 15, "h0", []ssh.AuthMethod{derive(roleClient, "h0", func(c *Config) { c.Secret = []byte("other") })}, "127.2.0.15 was refused: it says that it is h0, but has not"},
		{"a server's key", 16, "h0", []ssh.AuthMethod{derive(roleServer, "h0", same)}, "127.2.0.16 was refused: it says that it is h0, but has not"},
		{"another host's key", 17, "h0", []ssh.AuthMethod{derive(roleClient, "h2", same)}, "127.2.0.17 was refused: it says that it is h0, but has not"},
		{"the right key from elsewhere", 18, "h0", []ssh.AuthMethod{known}, "127.2.0.18 was refused: it says that it is h0, but that name resolves to [127.2.0.0] here"},
		{"from another host's address", 2, "h0", []ssh.AuthMethod{known}, "127.2.0.2 was refused: it says that it is h0, but"},
		{"an unknown host", 19, "h21", []ssh.AuthMethod{derive(roleClient, "h21", same)}, `127.2.0.19 was refused: "h21" is not a host of this job`},
		{"the right key from no host's address", 21, "h0", []ssh.AuthMethod{known}, "127.2.0.21 was refused: the name of no host of this job resolves to that address here"},
		{"root", 0, "root", []ssh.AuthMethod{known}, `127.2.0.0 was refused: "root" is not a host of this job`},
	} {
		if _, err := n.stranger(t, c.from, func(config *ssh.ClientConfig) { config.User, config.Auth = c.user, c.auth }); err == nil {
			t.Errorf("%s: was let in", c.what)
		}
		until(t, "the warning about "+c.what, func() bool { return n.warned(c.warn) })
	}
	for what, change := range map[string]func(*ssh.ClientConfig){
		"older key exchange": func(c *ssh.ClientConfig) { c.KeyExchanges = []string{ssh.KeyExchangeECDHP256} },
		"older cipher":       func(c *ssh.ClientConfig) { c.Ciphers = []string{ssh.CipherAES128CTR} },
	} {
		if _, err := n.stranger(t, 0, change); err == nil {
			t.Errorf("%s: was let in", what)
		}
	}
	n.works(t, p)
}

// TestOneKindOfRequest: who has the right key gets a session with exec, and nothing else.
func TestOneKindOfRequest(t *testing.T) {
	n := newNetwork(t, 2)
	n.serve(t, 1)
	conn, err := n.stranger(t, 0, func(*ssh.ClientConfig) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, channel := range []string{"direct-tcpip", "forwarded-tcpip", "direct-streamlocal@openssh.com", "x11", "auth-agent@openssh.com", "tun@openssh.com", ""} {
		payload := ssh.Marshal(struct {
			Host string
			Port uint32
			From string
			At   uint32
		}{"127.0.0.1", 22, "127.0.0.1", 1})
		if _, _, err := conn.OpenChannel(channel, payload); err == nil || !strings.Contains(err.Error(), "administratively prohibited") {
			t.Errorf("channel %q: %v", channel, err)
		}
	}
	for _, request := range []string{"tcpip-forward", "cancel-tcpip-forward", "streamlocal-forward@openssh.com", "keepalive@openssh.com", "no-more-sessions@openssh.com"} {
		if ok, _, err := conn.SendRequest(request, true, nil); ok || err != nil {
			t.Errorf("request %s: %v, %v", request, ok, err)
		}
	}
	ch, requests, err := conn.OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	go ssh.DiscardRequests(requests)
	others := []string{"pty-req", "x11-req", "env", "shell", "subsystem", "window-change", "signal", "auth-agent-req@openssh.com", "xon-xoff", "break", ""}
	for _, request := range others {
		if ok, err := ch.SendRequest(request, true, ssh.Marshal(command{"sftp"})); ok || err != nil {
			t.Errorf("session request %q: %v, %v", request, ok, err)
		}
	}
	if ok, err := ch.SendRequest("exec", true, []byte{0, 0, 0, 9, 'x'}); ok || err != nil {
		t.Errorf("an exec cut short: %v, %v", ok, err)
	}
	if ok, err := ch.SendRequest("exec", true, ssh.Marshal(command{"cat"})); !ok || err != nil {
		t.Fatalf("exec: %v, %v", ok, err)
	}
	for _, request := range append(others, "exec") {
		if ok, err := ch.SendRequest(request, true, ssh.Marshal(command{"echo again"})); ok || err != nil {
			t.Errorf("session request %q after exec: %v, %v", request, ok, err)
		}
	}
	_, _ = io.WriteString(ch, "one")
	_ = ch.CloseWrite()
	if out, err := io.ReadAll(ch); string(out) != "one" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
}
