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

// Key is the secret that the hosts of a cluster share; the zero Key is none.
type Key struct{ secret string }

const keySize = 32 // bytes

// NewKey is the text of a new key.
func NewKey() string {
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // never fails
	return hex.EncodeToString(secret) + "\n"
}

// ParseKey reads a key as NewKey writes it. Its errors do not repeat what it was given.
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
		return Key{}, fmt.Errorf("expected the %d hexadecimal digits that entrain keygen writes, got %s", 2*keySize, got)
	}
	return Key{string(secret)}, nil
}

func (k Key) there() bool { return k.secret != "" }

// String keeps a key out of what is printed.
func (k Key) String() string { return "******" }

// GoString keeps a key out of what is printed with %#v.
func (k Key) GoString() string { return k.String() }

// The two ends of a connection have a key pair each, so that none can be taken for the other.
const (
	roleLeader = "leader"
	roleWorker = "worker"
)

// KeyPair derives the Ed25519 key pair of a label within a job. HKDF (RFC 5869) with SHA-256 makes its seed:
// the cluster key is the key material, job the salt and label the info. All hosts that have the key derive
// the same pair. The labels of two purposes must differ. The error comes only from FIPS 140 mode, which
// forbids secrets that are shorter than a cluster key.
func (k Key) KeyPair(job, label string) (ed25519.PrivateKey, error) {
	seed, err := hkdf.Key(sha256.New, []byte(k.secret), []byte(job), label, ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// pair is the key pair of one end of a connection in a job.
func (k Key) pair(role, job string) (ed25519.PrivateKey, error) {
	return k.KeyPair(job, "entrain rendezvous 1 "+role)
}

var errOtherKey = errors.New("the peer has another cluster key")

// config is TLS 1.3 between the two key pairs of a job. Certificates only carry the keys: names and dates in
// them say nothing, clocks may be wrong, and nobody signs for anybody.
func (k Key) config(own, peer, job string) (*tls.Config, error) {
	private, err := k.pair(own, job)
	if err != nil {
		return nil, err
	}
	wanted, err := k.pair(peer, job)
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
		MinVersion:             tls.VersionTLS13,
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate, nil },
		GetClientCertificate:   func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil },
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

func (k Key) client(job string) (*tls.Config, error) { return k.config(roleWorker, roleLeader, job) }

func (k Key) server(job string) (*tls.Config, error) { return k.config(roleLeader, roleWorker, job) }
