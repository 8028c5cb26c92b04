package remote

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// OpenSSH configures the image's ssh and sshd where they stand in for the agent: with keys of this job alone, in a private
// directory, so that none is baked into an image; hosts that must be who they say; and no more than an exec.
type OpenSSH struct {
	Dir         string     // private; holds the files named below
	Port        int        // of sshd, on every host
	Listen      netip.Addr // where sshd listens; the zero Addr stands for all addresses
	PeerTimeout time.Duration
	Env         []string // KEY=VALUE for the daemons; sshd starts them with next to nothing
}

// The files in OpenSSH.Dir.
const (
	FileKey        = "ssh_key"         // private, mode 0600
	FileKnownHosts = "known_hosts"     // the peers' public keys
	FileAuthorized = "authorized_keys" // likewise
	FileClient     = "ssh_config"
	FileServer     = "sshd_config"
)

// NewPair makes a key pair: the private half as a file for ssh and sshd, the public one as a line.
func NewPair() (private []byte, public string, err error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", err
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return nil, "", err
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		return nil, "", err
	}
	return pem.EncodeToMemory(block), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line))), nil
}

// IsPublic says whether a line is a public key and nothing else: others sent it, and it goes into files that ssh reads.
func IsPublic(line string) bool {
	key, comment, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	return err == nil && comment == "" && len(options) == 0 && len(rest) == 0 && key.Type() == ssh.KeyAlgoED25519
}

// KnownHost is a host's line in FileKnownHosts. There ssh looks for a host by its name alone when the port is its own.
func (o OpenSSH) KnownHost(host, public string) string {
	if o.Port == 22 {
		return fmt.Sprintf("%s %s\n", host, public)
	}
	return fmt.Sprintf("[%s]:%d %s\n", host, o.Port, public)
}

// Authorize is the line in FileAuthorized of a host that may start daemons: an exec, and nothing that sshd may learn later.
func (OpenSSH) Authorize(public string) string { return "restrict " + public + "\n" }

// Client is ssh's configuration.
func (o OpenSSH) Client() string {
	return fmt.Sprintf(`Host *
Port %d
IdentityFile %s/%s
IdentitiesOnly yes
UserKnownHostsFile %s/%s
GlobalKnownHostsFile none
StrictHostKeyChecking yes
UpdateHostKeys no
CheckHostIP no
BatchMode yes
ConnectTimeout 10
ConnectionAttempts 10
ServerAliveInterval %d
ServerAliveCountMax 3
ForwardAgent no
ForwardX11 no
LogLevel ERROR
`, o.Port, o.Dir, FileKey, o.Dir, FileKnownHosts, o.alive())
}

// Server is sshd's configuration. Its modes are not checked (StrictModes), since /tmp, above the private directory, is
// everybody's.
func (o OpenSSH) Server() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Port %d\n", o.Port)
	if o.Listen.IsValid() {
		fmt.Fprintf(&b, "ListenAddress %s\n", o.Listen)
	}
	fmt.Fprintf(&b, `HostKey %s/%s
AuthorizedKeysFile %s/%s
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
LoginGraceTime 10
MaxStartups 256
MaxSessions 64
ClientAliveInterval %d
ClientAliveCountMax 3
DisableForwarding yes
PermitTTY no
PermitUserRC no
PrintMotd no
PrintLastLog no
UseDNS no
`, o.Dir, FileKey, o.Dir, FileAuthorized, o.alive())
	var words []string
	for _, kv := range o.Env {
		if !strings.ContainsAny(kv, "\"\n\r\\") { // which the file cannot hold
			words = append(words, `"`+kv+`"`)
		}
	}
	if len(words) > 0 { // of several lines the first counts
		fmt.Fprintf(&b, "SetEnv %s\n", strings.Join(words, " "))
	}
	return b.String()
}

// alive is how often a silent peer is asked, in seconds; after three times it is lost.
func (o OpenSSH) alive() int { return max(1, int(o.PeerTimeout/6/time.Second)) }
