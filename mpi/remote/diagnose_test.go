package remote

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

// TestTimeoutOfDialIsNoSilence: a host that was never reached has not fallen silent, whichever error the dial
// ends with.
func TestTimeoutOfDialIsNoSilence(t *testing.T) {
	p := &Pool{c: Config{Diagnose: diagnoseDial}, ctx: t.Context()}
	dial := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 77, 0, 2), Port: 7791}}
	for _, cause := range []error{os.ErrDeadlineExceeded, context.DeadlineExceeded} {
		dial.Err = cause
		if why := p.diagnose(fmt.Errorf("an attempt: %w", dial)); !strings.HasPrefix(why, "it does not answer") {
			t.Errorf("%v: %s", cause, why)
		}
	}
	read := &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}
	if why := p.diagnose(read); !strings.HasPrefix(why, "nothing was heard of it") {
		t.Errorf("%v: %s", read, why)
	}
}
