package remote

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOpenSSHConfiguresClientAndServer(t *testing.T) {
	o := OpenSSH{
		Dir: "/tmp/x", Port: 7791, PeerTimeout: 30 * time.Second,
		Listen:  []netip.Addr{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("2001:db8::2")},
		Command: "/tmp/x/entrain-rsh",
	}
	for text, wants := range map[string][]string{
		o.Client(): {
			"StrictHostKeyChecking yes", "BatchMode yes", "UserKnownHostsFile /tmp/x/known_hosts",
			"GlobalKnownHostsFile none", "IdentityFile /tmp/x/ssh_key", "IdentitiesOnly yes", "Port 7791",
			"ConnectTimeout 10", "ConnectionAttempts 10", "ServerAliveInterval 10", "ServerAliveCountMax 3",
		},
		o.Server(): {
			"ListenAddress 10.0.0.2", "ListenAddress 2001:db8::2", "HostKey /tmp/x/ssh_key",
			"AuthorizedKeysFile /tmp/x/authorized_keys",
			"AuthenticationMethods publickey", "LoginGraceTime 10", "DisableForwarding yes", "PermitTTY no",
			"ClientAliveInterval 10", "ClientAliveCountMax 3", "ForceCommand /tmp/x/entrain-rsh",
		},
	} {
		for _, want := range wants {
			if !strings.Contains("\n"+text, "\n"+want+"\n") {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
	}
	o.Listen = nil // without a ListenAddress, sshd listens at all addresses, of IPv4 and IPv6
	text := o.Server()
	if strings.Contains(text, "ListenAddress") || !strings.HasPrefix(text, "Port 7791\nHostKey ") {
		t.Errorf("for all addresses: %s", text)
	}
}

func TestOpenSSHWritesLinesForKeys(t *testing.T) {
	for _, c := range []struct {
		line, want string
	}{
		{OpenSSH{Port: 7791}.KnownHost("algo-2", "ssh-ed25519 AAAA"), "[algo-2]:7791 ssh-ed25519 AAAA\n"},
		{OpenSSH{Port: 22}.KnownHost("algo-2", "ssh-ed25519 AAAA"), "algo-2 ssh-ed25519 AAAA\n"},
		{OpenSSH{Port: 2222}.KnownHost("10.0.0.2", "ssh-ed25519 AAAA"), "[10.0.0.2]:2222 ssh-ed25519 AAAA\n"},
		{OpenSSH{}.Authorize("ssh-ed25519 AAAA"), "restrict ssh-ed25519 AAAA\n"},
	} {
		if c.line != c.want {
			t.Errorf("%q, want %q", c.line, c.want)
		}
	}
}

// TestIsPublicAcceptsNothingButAKey: IsPublic accepts the key that NewPair makes, and nothing else.
// ssh-keygen accepts it too.
func TestIsPublicAcceptsNothingButAKey(t *testing.T) {
	private, public, err := NewPair()
	if err != nil || !IsPublic(public) {
		t.Fatalf("%q, %v", public, err)
	}
	other, _, err := NewPair()
	if err != nil || string(other) == string(private) {
		t.Errorf("two pairs are equal: %v", err)
	}
	for _, line := range []string{
		"", "rubbish", public + " comment", `command="rm" ` + public, public + "\n" + public,
		strings.Replace(public, "ed25519", "rsa", 1), "*" + public,
	} {
		if IsPublic(line) {
			t.Errorf("%q is taken for a public key", line)
		}
	}
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("no ssh-keygen: only the tests in containers show whether OpenSSH reads the key")
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, private, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(keygen, "-y", "-f", file).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != public {
		t.Errorf("ssh-keygen reads the key as %q, want %q: %v", out, public, err)
	}
}
