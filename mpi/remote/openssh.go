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

// OpenSSH configures the image's ssh and sshd where they replace the built-in agent. The keys are made for
// this job and lie in a private directory, so that no image contains one. ssh and sshd check each other's
// keys. sshd runs Command in place of whatever ssh asks for, and gives it that in the variable
// OriginalCommand. So the run of the host starts the daemons, as with the built-in agent.
type OpenSSH struct {
	Dir         string        // a private directory, which holds the files named below
	Port        int           // the port of sshd on every host
	Listen      []netip.Addr  // where sshd listens; none means all addresses
	PeerTimeout time.Duration // ssh and sshd give up a peer that is silent for so long
	Command     string        // the path of entrain rsh; a shell reads it
}

// OriginalCommand is the name of the variable that holds the words which ssh has asked for (sshd_config(5),
// ForceCommand).
const OriginalCommand = "SSH_ORIGINAL_COMMAND"

// ThisHost is the name by which the Command of OpenSSH asks its run for a daemon on this host itself.
const ThisHost = "."

// The files in OpenSSH.Dir.
const (
	FileKey        = "ssh_key"         // this host's private key, mode 0600
	FileKnownHosts = "known_hosts"     // the public keys of the servers; see KnownHost
	FileAuthorized = "authorized_keys" // the public keys of the clients; see Authorize
	FileClient     = "ssh_config"      // see Client
	FileServer     = "sshd_config"     // see Server
)

// NewPair makes an Ed25519 key pair. private is the text of a file for ssh and sshd, public is one line.
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

// IsPublic says whether a line is an Ed25519 public key and nothing else. Another host sends the line, and it
// goes into files that ssh and sshd read: an option or a second line there would give away rights.
func IsPublic(line string) bool {
	key, comment, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	return err == nil && comment == "" && len(options) == 0 && len(rest) == 0 && key.Type() == ssh.KeyAlgoED25519
}

// KnownHost is a host's line in FileKnownHosts. For its default port, ssh looks for the name without a port.
func (o OpenSSH) KnownHost(host, public string) string {
	if o.Port == sshDefaultPort {
		return fmt.Sprintf("%s %s\n", host, public)
	}
	return fmt.Sprintf("[%s]:%d %s\n", host, o.Port, public)
}

// Authorize is the line in FileAuthorized of a host that may start daemons. "restrict" forbids everything but
// commands, and features that sshd may get later too.
func (OpenSSH) Authorize(public string) string { return "restrict " + public + "\n" }

// Client is the text of FileClient.
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
ConnectTimeout %d
ConnectionAttempts %d
ServerAliveInterval %d
ServerAliveCountMax %d
ForwardAgent no
ForwardX11 no
LogLevel ERROR
`, o.Port, o.Dir, FileKey, o.Dir, FileKnownHosts, int(sshConnectTimeout/time.Second), sshConnectAttempts,
		o.keepaliveSeconds(), keepalivesUntilSilence)
}

// Server is the text of FileServer. StrictModes is off: it would refuse the keys, since everybody can write
// to /tmp, which holds the private directory.
func (o OpenSSH) Server() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Port %d\n", o.Port)
	for _, addr := range o.Listen {
		fmt.Fprintf(&b, "ListenAddress %s\n", addr)
	}
	fmt.Fprintf(&b, `HostKey %s/%s
AuthorizedKeysFile %s/%s
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
ForceCommand %s
LoginGraceTime %d
MaxStartups 256
MaxSessions 64
ClientAliveInterval %d
ClientAliveCountMax %d
DisableForwarding yes
PermitTTY no
PermitUserRC no
PrintMotd no
PrintLastLog no
UseDNS no
`, o.Dir, FileKey, o.Dir, FileAuthorized, o.Command, int(sshdLoginTimeout/time.Second),
		o.keepaliveSeconds(), keepalivesUntilSilence)
	return b.String()
}

// keepaliveSeconds is the interval of OpenSSH's own keepalives in whole seconds.
func (o OpenSSH) keepaliveSeconds() int {
	return max(1, int(o.PeerTimeout/keepalivesUntilSilence/time.Second))
}

const sshDefaultPort = 22
