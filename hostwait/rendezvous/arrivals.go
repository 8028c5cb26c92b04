package rendezvous

import (
	"context"
	"net"
	"sync"
)

// arrivals is the leader's end of a connection, below HTTP. It notices when a further request arrives while
// the answer to one is held back. The answer is then due at once, since net/http reads no request before it
// has written the answer to the one before. A request ends with a line feed, which no other line of it ends
// with alone.
type arrivals struct {
	net.Conn

	mu      sync.Mutex
	whole   int           // the requests that have arrived whole
	begun   bool          // a part of a further request has arrived
	last    byte          // the last byte that was read
	taken   int           // the requests that are answered, or being answered
	further chan struct{} // closed when a request after the last taken one arrives; nil when it has
}

// arrivalsListener notices further requests on all its connections.
type arrivalsListener struct{ net.Listener }

func (l arrivalsListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &arrivals{Conn: conn}, nil
}

func (a *arrivals) Read(p []byte) (int, error) {
	n, err := a.Conn.Read(p)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range p[:n] {
		if a.begun = true; b == '\n' && a.last != '\r' {
			a.whole, a.begun = a.whole+1, false
		}
		a.last = b
	}
	a.tell()
	return n, err
}

// tell closes further if a request after the last taken one has arrived, or begins to.
func (a *arrivals) tell() {
	if a.further != nil && (a.whole > a.taken || a.whole == a.taken && a.begun) {
		close(a.further)
		a.further = nil
	}
}

// take says that the next request is being answered. It returns a channel that is closed when a further
// request arrives.
func (a *arrivals) take() <-chan struct{} {
	further := make(chan struct{})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.taken++
	a.further = further
	a.tell()
	return further
}

// arrivalsKey is the key of a request's arrivals in the context of the request.
type arrivalsKey struct{}

// takeRequest takes the request with a context. See arrivals.take.
func takeRequest(ctx context.Context) <-chan struct{} {
	if a, ok := ctx.Value(arrivalsKey{}).(*arrivals); ok {
		return a.take()
	}
	return nil
}
