package rendezvous

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestFaultWithoutCode: a failure that was told without a code fails all hosts all the same.
func TestFaultWithoutCode(t *testing.T) {
	defer goleak.VerifyNone(t)
	all := launching(t, make(chan string, 16))
	all[0].Fault("h0", End{Text: "foo is none of this job's hosts", At: time.Now()})
	for i, s := range all {
		err := cause(t, s)
		if peer, ok := errors.AsType[*PeerError](err); !ok || peer.Code != CodeInternal {
			t.Errorf("h%d ends with %#v, expected code %d", i, err, CodeInternal)
		}
	}
	leave(t, all, End{Code: 1}, End{}, End{})
}

// TestFaultWithCodeZero: on the wire it is refused, and a leader that got one all the same gives it a code.
func TestFaultWithCodeZero(t *testing.T) {
	const body = `{"host":"h","instance":"i","fault":{"host":"h","code":0,"text":"x","age":1}}`
	if _, err := readHello(strings.NewReader(body)); err == nil {
		t.Error("the hello is taken")
	}
	k := newRoster(&Config{Hosts: []string{"h0", "h1"}, Launches: true, Warn: func(string) {}})
	h := &hello{Protocol: Protocol, Member: Member{Host: "h1"}, Instance: "i", Clock: time.Now().UnixMicro(), Fault: &fault{Host: "h1", ended: ended{Text: "x"}}}
	if r := k.takeHello(h, netip.Addr{}, time.Now()); r != nil {
		t.Fatal(r.why)
	}
	if k.firstFailure == nil || k.firstFailure.Code == 0 {
		t.Errorf("the leader keeps %+v", k.firstFailure)
	}
}

// TestViewWithCodeZero: nor does a leader's word that a host has failed end another one well.
func TestViewWithCodeZero(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	all := n.gather()
	all[1].takeView(view{Seq: 99, Released: true, First: &failure{Host: "h0", Text: "x"}}, &hello{})
	if peer, ok := errors.AsType[*PeerError](cause(t, all[1])); !ok || peer.Code != CodeInternal {
		t.Errorf("%#v", peer)
	}
	leave(t, all, End{}, End{})
}

// TestReleasedAndOver: a launcher's success that is heard together with the release is no failure to gather.
func TestReleasedAndOver(t *testing.T) {
	defer goleak.VerifyNone(t)
	all := launching(t, make(chan string, 16))
	all[0].End(End{})
	_ = cause(t, all[1])
	for range 100 { // each of them chose at random
		if _, err := all[1].Gather(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	leave(t, all, End{}, End{}, End{})
}
