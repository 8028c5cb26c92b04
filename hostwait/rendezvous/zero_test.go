package rendezvous

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestFaultWithoutCodeFailsAllHosts: a fault that was reported without a code gets CodeInternal.
func TestFaultWithoutCodeFailsAllHosts(t *testing.T) {
	defer goleak.VerifyNone(t)
	all := newLaunch(t, make(chan string, 16))
	all[0].Fault("h0", End{Text: "foo is none of this job's hosts", At: time.Now()})
	for i, s := range all {
		err := causeOfEnd(t, s)
		if peer, ok := errors.AsType[*PeerError](err); !ok || peer.Code != CodeInternal {
			t.Errorf("h%d ends with %#v, expected code %d", i, err, CodeInternal)
		}
	}
	leave(t, all, End{Code: 1}, End{}, End{})
}

// TestLeaderTakesNoFaultWithCodeZero: readHello refuses such a fault, and the roster would give it a code.
func TestLeaderTakesNoFaultWithCodeZero(t *testing.T) {
	const body = `{"host":"h","instance":"i","fault":{"host":"h","code":0,"text":"x","age":1}}`
	if _, err := readHello(strings.NewReader(body), &Config{Printable: printable}); err == nil {
		t.Error("the hello is accepted")
	}
	k := newRoster(&Config{Hosts: []string{"h0", "h1"}, Launches: true, Warn: func(string) {}})
	h := &hello{
		Protocol: Protocol, Member: Member{Host: "h1"}, Instance: "i", Clock: time.Now().UnixMicro(),
		Fault: &fault{Host: "h1", ended: ended{Text: "x"}},
	}
	if r := k.takeHello(h, netip.Addr{}, time.Now()); r != nil {
		t.Fatal(r.why)
	}
	if k.firstFailure == nil || k.firstFailure.Code == 0 {
		t.Errorf("the leader keeps %+v", k.firstFailure)
	}
}

// TestFailureWithCodeZeroIsNoSuccess: a host that is told of a failure with code 0 ends with CodeInternal.
func TestFailureWithCodeZeroIsNoSuccess(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 2)
	all := n.gather()
	all[1].takeView(view{Seq: 99, Released: true, First: &failure{Host: "h0", Text: "x"}}, &hello{})
	if peer, ok := errors.AsType[*PeerError](causeOfEnd(t, all[1])); !ok || peer.Code != CodeInternal {
		t.Errorf("%#v", peer)
	}
	leave(t, all, End{}, End{})
}

// TestLauncherMayEndTogetherWithTheRelease: Gather succeeds where it learns of the release and of the
// success of the launcher at once.
func TestLauncherMayEndTogetherWithTheRelease(t *testing.T) {
	defer goleak.VerifyNone(t)
	all := newLaunch(t, make(chan string, 16))
	all[0].End(End{})
	_ = causeOfEnd(t, all[1])
	for range 100 { // select chooses at random
		if _, err := all[1].Gather(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	leave(t, all, End{}, End{}, End{})
}
