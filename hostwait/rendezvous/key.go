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

// Derive makes a secret for another purpose (HKDF, RFC 5869). Nobody can find the key from it. The zero Key gives none.
func (k Key) Derive(purpose string) []byte {
	if !k.there() {
		return nil
	}
	secret, err := hkdf.Key(sha256.New, []byte(k.secret), nil, purpose, keySize)
	if err != nil {
		return nil // only where FIPS 140 forbids secrets as short as ours is not
	}
	return secret
}

// The two ends of a connection have a key pair each, so that none can be taken for the other.
const (
	roleLeader = "leader"
	roleWorker = "worker"
)

// pair derives the key pair of a role in a job (HKDF, RFC 5869).
func (k Key) pair(role, job string) (ed25519.PrivateKey, ed25519.PublicKey) {
	seed, err := hkdf.Key(sha256.New, []byte(k.secret), []byte(job), "entrain rendezvous 1 "+role, ed25519.SeedSize)
	if err != nil {
		return nil, nil // only where FIPS 140 forbids secrets as short as ours is not
	}
	private := ed25519.NewKeyFromSeed(seed)
	return private, private.Public().(ed25519.PublicKey)
}

var errOtherKey = errors.New("the peer has another cluster key")

// config is TLS 1.3 between the two key pairs of a job. Certificates only carry the keys: names and dates in them say
// nothing, clocks may be wrong, and nobody signs for anybody.
func (k Key) config(own, peer, job string) *tls.Config {
	private, public := k.pair(own, job)
	_, wanted := k.pair(peer, job)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, public, private)
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, err },
		GetClientCertificate:   func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, err },
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, //nolint:gosec // VerifyConnection compares the key itself
		SessionTicketsDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 1 && wanted.Equal(state.PeerCertificates[0].PublicKey) {
				return nil
			}
			return errOtherKey
		},
	}
}

func (k Key) client(job string) *tls.Config { return k.config(roleWorker, roleLeader, job) }
func (k Key) server(job string) *tls.Config { return k.config(roleLeader, roleWorker, job) }
