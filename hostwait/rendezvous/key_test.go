package rendezvous

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// TestKeyPairIsByRFC5869: the seed of a key pair is one block of HKDF with SHA-256, with the job as salt and the label as
// info. Other programs can derive the same pair.
func TestKeyPairIsByRFC5869(t *testing.T) {
	mac := func(key, text string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(text))
		return string(h.Sum(nil))
	}
	secret := strings.Repeat("s", keySize)
	want := ed25519.NewKeyFromSeed([]byte(mac(mac("arn:job", secret), "entrain test 1\x01")))
	got, err := Key{secret}.KeyPair("arn:job", "entrain test 1")
	if err != nil || !got.Equal(want) {
		t.Errorf("%x, %v, expected %x", got, err, want)
	}
}

// TestKeyPairsDiffer: another secret, another job or another label gives another key pair.
func TestKeyPairsDiffer(t *testing.T) {
	secret, other := strings.Repeat("s", keySize), strings.Repeat("o", keySize)
	seen := map[string]string{}
	for _, of := range [][3]string{
		{secret, "job", "label"},
		{other, "job", "label"},
		{secret, "job2", "label"},
		{secret, "job", "label2"},
		{secret, "", "joblabel"},
		{secret, "jobl", "abel"},
	} {
		pair, err := Key{of[0]}.KeyPair(of[1], of[2])
		if err != nil {
			t.Fatal(err)
		}
		if same, found := seen[string(pair)]; found {
			t.Errorf("%q and %s have one key pair", of, same)
		}
		seen[string(pair)] = fmt.Sprintf("%q", of)
	}
}
