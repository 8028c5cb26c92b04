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

func TestOpenSSHFiles(t *testing.T) {
	o := OpenSSH{
		Dir: "/tmp/x", Port: 7791, Listen: netip.MustParseAddr("10.0.0.2"), PeerTimeout: 30 * time.Second,
		Env: []string{"PATH=/opt/my bin:/bin", "LD_LIBRARY_PATH=a\"b"},
	}
	for text, wants := range map[string][]string{
		o.Client(): {
			"\nStrictHostKeyChecking yes\n", "\nBatchMode yes\n", "\nUserKnownHostsFile /tmp/x/known_hosts\n", "\nGlobalKnownHostsFile none\n",
			"\nIdentityFile /tmp/x/ssh_key\n", "\nIdentitiesOnly yes\n", "\nServerAliveInterval 5\n", "\nPort 7791\n",
		},
		o.Server(): {
			"\nListenAddress 10.0.0.2\n", "\nHostKey /tmp/x/ssh_key\n", "\nAuthorizedKeysFile /tmp/x/authorized_keys\n", "\nAuthenticationMethods publickey\n",
			"\nLoginGraceTime 10\n", "\nDisableForwarding yes\n", "\nPermitTTY no\n", "\nClientAliveInterval 5\n", "\nSetEnv \"PATH=/opt/my bin:/bin\"\n",
		},
	} {
		for _, want := range wants {
			if !strings.Contains("\n"+text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
	}
	o.Listen = netip.Addr{} // sshd takes no ListenAddress for all that there are, with IPv6 or without
	if text := o.Server(); strings.Contains(text, "ListenAddress") || !strings.HasPrefix(text, "Port 7791\nHostKey ") {
		t.Errorf("everywhere: %s", text)
	}
}

func TestOpenSSHLines(t *testing.T) {
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

// TestOpenSSHKey: what one host makes another takes for a key, ssh-keygen too, and nothing else.
func TestOpenSSHKey(t *testing.T) {
	private, public, err := NewPair()
	if err != nil || !IsPublic(public) {
		t.Fatalf("%q, %v", public, err)
	}
	other, _, err := NewPair()
	if err != nil || string(other) == string(private) {
		t.Errorf("two pairs are one: %v", err)
	}
	for _, line := range []string{
		"", "rubbish", public + " comment", `command="rm" ` + public, public + "\n" + public, strings.Replace(public, "ed25519", "rsa", 1), "*" + public,
	} {
		if IsPublic(line) {
			t.Errorf("%q is taken for a public key", line)
		}
	}
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("no ssh-keygen: whether OpenSSH reads the key is seen in the containers alone")
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, private, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(keygen, "-y", "-f", file).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != public {
		t.Errorf("ssh-keygen makes %q of it, want %q: %v", out, public, err)
	}
}
