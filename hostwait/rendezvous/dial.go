package rendezvous

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strconv"
)

// dial connects to the address to which the leader's name resolves now. Where the name does not resolve any
// more, it connects to the last known address. It looks the name of a leader that was reached before up at
// each fourth attempt only, since a name server that is cut off too takes time.
func (w *worker) dial(ctx context.Context) (net.Conn, error) {
	addr, reached, dials := w.nextDial()
	bound := w.config.connectTime()
	if reached {
		bound = w.config.reconnectTime()
	}
	if !reached || dials%4 == 0 {
		found, err := w.findLeader(ctx, addr != "")
		if err != nil && addr == "" {
			return nil, fmt.Errorf("its name does not resolve: %w", err)
		}
		addr = cmp.Or(found, addr)
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	if w.config.Dial != nil {
		return w.config.Dial(ctx, "tcp", addr)
	}
	return (&net.Dialer{LocalAddr: w.config.localAddr}).DialContext(ctx, "tcp", addr)
}

// findLeader looks the leader's name up, and returns its address with the port. A silent name server must not
// take the time in which the loss of a known leader would be noticed.
func (w *worker) findLeader(ctx context.Context, isKnown bool) (string, error) {
	if isKnown {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.config.reconnectTime())
		defer cancel()
	}
	addrs, err := w.config.Lookup(ctx, w.config.leaderHost())
	if err != nil {
		return "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastAddr = net.JoinHostPort(addrs[0].String(), strconv.Itoa(w.config.Port))
	return w.lastAddr, nil
}

// nextDial returns where the leader was found last, whether it has answered, and the number of this attempt
// to connect since then, from 1 on.
func (w *worker) nextDial() (addr string, reached bool, dials int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dials++
	return w.lastAddr, w.reached, w.dials
}

// lastAddress returns where the leader was found last, with the port. It is empty before.
func (w *worker) lastAddress() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lastAddr
}
