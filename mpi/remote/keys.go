package remote

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"net"

	"golang.org/x/crypto/ssh"
)

// The two ends of a connection have key pairs of their own, so that none can be taken for the other.
const (
	roleClient = "client"
	roleServer = "server"
)

// signer derives the key pair of a host in a role and a job (HKDF, RFC 5869). Whoever has the secret can derive all.
func (c *Config) signer(role, host string) (ssh.Signer, error) {
	seed, err := hkdf.Key(sha256.New, c.Secret, []byte(c.Job), "entrain remote 1 "+role+" "+host, ed25519.SeedSize)
	if err != nil {
		return nil, err // only where FIPS 140 forbids secrets as short as ours is not
	}
	return ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed))
}

// public is what signer's key is known by.
func (c *Config) public(role, host string) (ssh.PublicKey, error) {
	signer, err := c.signer(role, host)
	if err != nil {
		return nil, err
	}
	return signer.PublicKey(), nil
}

func same(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// algorithms is one modern set: both ends are ours, so that there is nothing to agree on.
func algorithms() ssh.Config {
	return ssh.Config{
		KeyExchanges: []string{ssh.KeyExchangeMLKEM768X25519},
		Ciphers:      []string{ssh.CipherAES256GCM},
		MACs:         []string{ssh.HMACSHA256ETM}, // of no use to that cipher
	}
}

const (
	version  = "SSH-2.0-entrain"
	maxTries = 3 // at keys; a peer needs one
)

var errOtherKey = errors.New("its cluster key, or its job, and the one here are different")

// client is this host's side of a connection to host, whose key is known beforehand.
func (c *Config) client(host string) (*ssh.ClientConfig, error) {
	own, err := c.signer(roleClient, c.Self)
	if err != nil {
		return nil, err
	}
	wanted, err := c.public(roleServer, host)
	if err != nil {
		return nil, err
	}
	return &ssh.ClientConfig{
		Config: algorithms(), ClientVersion: version, User: c.Self,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(own)},
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if same(key, wanted) {
				return nil
			}
			return errOtherKey
		},
	}, nil
}

// server is this host's side of a connection that a peer makes; admit tells whether a key is the one of the host that the
// user name names, and comes from there.
func (c *Config) server(admit func(ssh.ConnMetadata, ssh.PublicKey) error) (*ssh.ServerConfig, error) {
	own, err := c.signer(roleServer, c.Self)
	if err != nil {
		return nil, err
	}
	s := &ssh.ServerConfig{
		Config: algorithms(), ServerVersion: version, MaxAuthTries: maxTries,
		PublicKeyAuthAlgorithms: []string{ssh.KeyAlgoED25519},
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			return nil, admit(meta, key)
		},
	}
	s.AddHostKey(own)
	return s, nil
}
