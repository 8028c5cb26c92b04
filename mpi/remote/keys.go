package remote

import (
	"bytes"
	"errors"
	"net"

	"golang.org/x/crypto/ssh"
)

// The two ends of a connection have different key pairs, so that a server's key is worth nothing to a client,
// and the other way round.
const (
	roleClient = "client"
	roleServer = "server"
)

// signer is the key pair of a host in a role. The label holds both, so each pair serves one purpose.
func (c *Config) signer(role, host string) (ssh.Signer, error) {
	pair, err := c.KeyPair("entrain remote 1 " + role + " " + host)
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(pair)
}

// publicKey is the public half of the key pair of a host in a role.
func (c *Config) publicKey(role, host string) (ssh.PublicKey, error) {
	signer, err := c.signer(role, host)
	if err != nil {
		return nil, err
	}
	return signer.PublicKey(), nil
}

func isSameKey(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// algorithms is one modern set. Both ends are entrain, so there is nothing to negotiate.
func algorithms() ssh.Config {
	// The cipher does not use the MAC. Without one, entrain would offer all defaults.
	return ssh.Config{
		KeyExchanges: []string{ssh.KeyExchangeMLKEM768X25519},
		Ciphers:      []string{ssh.CipherAES256GCM},
		MACs:         []string{ssh.HMACSHA256ETM},
	}
}

const (
	sshVersion  = "SSH-2.0-entrain"
	maxKeyTries = 3 // keys that a client may try; a peer needs one
)

var errOtherKey = errors.New("its cluster key, or its job, and the one here are different")

// clientConfig is this host's side of a connection to host, whose server key is known beforehand.
func (c *Config) clientConfig(host string) (*ssh.ClientConfig, error) {
	own, err := c.signer(roleClient, c.Self)
	if err != nil {
		return nil, err
	}
	wanted, err := c.publicKey(roleServer, host)
	if err != nil {
		return nil, err
	}
	return &ssh.ClientConfig{
		Config: algorithms(), ClientVersion: sshVersion, User: c.Self,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(own)},
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if isSameKey(key, wanted) {
				return nil
			}
			return errOtherKey
		},
	}, nil
}

// serverConfig is this host's side of a connection that another host makes. authorize gives an error for a
// client that must not be let in.
func (c *Config) serverConfig(
	authorize func(ssh.ConnMetadata, ssh.PublicKey) error,
) (*ssh.ServerConfig, error) {
	own, err := c.signer(roleServer, c.Self)
	if err != nil {
		return nil, err
	}
	s := &ssh.ServerConfig{
		Config: algorithms(), ServerVersion: sshVersion, MaxAuthTries: maxKeyTries,
		PublicKeyAuthAlgorithms: []string{ssh.KeyAlgoED25519},
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			return nil, authorize(meta, key)
		},
	}
	s.AddHostKey(own)
	return s, nil
}
