package rendezvous

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// Key is the secret that all hosts of a cluster share. The zero Key means that there is none.
type Key struct{ secret string }

const keySize = 32 // bytes

// NewKey returns a new random key as text: hexadecimal digits and a line feed.
func NewKey() string {
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // never fails
	return hex.EncodeToString(secret) + "\n"
}

// ParseKey reads a key in the form of NewKey, with any space around it. Its errors do not repeat the text.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	secret, err := hex.DecodeString(text)
	if err != nil || len(secret) != keySize {
		got := fmt.Sprintf("%d characters", len(text))
		switch len(text) {
		case 0:
			got = "nothing"
		case 2 * keySize:
			got += " of which some are no hexadecimal digits"
		}
		return Key{}, fmt.Errorf("expected the %d hexadecimal digits that entrain keygen writes, got %s",
			2*keySize, got)
	}
	return Key{string(secret)}, nil
}

func (k Key) isSet() bool { return k.secret != "" }

// String returns asterisks, so that no key is printed.
func (k Key) String() string { return "******" }

// GoString returns asterisks, so that no key is printed with %#v.
func (k Key) GoString() string { return k.String() }

// The roles of the two ends of a connection. Each role has a key pair of its own, so that no end can pose
// as the other.
const (
	roleLeader = "leader"
	roleWorker = "worker"
)

// KeyPair derives the Ed25519 key pair with a label in a job. Its seed comes from HKDF with SHA-256 (RFC
// 5869): the cluster key is the input key, the job the salt, and the label the info. All hosts with the key
// derive the same pair. Each purpose needs labels of its own. KeyPair only fails in FIPS 140 mode, for
// secrets shorter than 14 bytes.
func (k Key) KeyPair(job, label string) (ed25519.PrivateKey, error) {
	seed, err := hkdf.Key(sha256.New, []byte(k.secret), []byte(job), label, ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// keyPair derives the key pair of one end of the connections of a job.
func (k Key) keyPair(role, job string) (ed25519.PrivateKey, error) {
	return k.KeyPair(job, "entrain rendezvous 1 "+role)
}

// errOtherKey says that the peer has not shown the key that this cluster key gives.
var errOtherKey = errors.New("the peer has another cluster key")

// tlsConfig makes a configuration for TLS 1.3 in which each end knows the public key of the other. The
// certificates only carry these keys: nobody signs them, and their names and dates mean nothing, since
// clocks may be wrong.
func (k Key) tlsConfig(own, peer, job string) (*tls.Config, error) {
	private, err := k.keyPair(own, job)
	if err != nil {
		return nil, err
	}
	wanted, err := k.keyPair(peer, job)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{}, private.Public(), private)
	if err != nil {
		return nil, err
	}
	certificate := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
	public := wanted.Public().(ed25519.PublicKey)
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate, nil },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return certificate, nil
		},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, //nolint:gosec // VerifyConnection compares the key itself
		SessionTicketsDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 1 && public.Equal(state.PeerCertificates[0].PublicKey) {
				return nil
			}
			return errOtherKey
		},
	}, nil
}

func (k Key) clientTLS(job string) (*tls.Config, error) {
	return k.tlsConfig(roleWorker, roleLeader, job)
}

func (k Key) serverTLS(job string) (*tls.Config, error) {
	return k.tlsConfig(roleLeader, roleWorker, job)
}
