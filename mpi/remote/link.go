package remote

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// client is a Pool of another host, as a Server sees it. Its sessions outlive its connections.
type client struct {
	link     *link // the last connection
	sessions map[uint32]*session
}

// clientKey tells clients from each other.
type clientKey struct{ host, id string }

// link is a connection of a client.
type link struct {
	s        *Server
	raw      *deadlineConn
	conn     *ssh.ServerConn
	replaced chan struct{} // closed when the client has another connection

	// The server's mu guards these.
	key    clientKey
	client *client // nil until the client has said which sessions it wants
}

// serve carries the sessions of an authenticated client until the connection ends. Then it keeps them, until
// the client has another connection or nothing was heard of the client for silenceTimeout.
func (l *link) serve(channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
	var work sync.WaitGroup
	work.Go(func() { l.answerRequests(requests) })
	for channel := range channels {
		if channel.ChannelType() != sessionChannel {
			_ = channel.Reject(ssh.Prohibited, "this is entrain's launch agent: it has sessions alone")
			continue
		}
		work.Go(func() { l.serveChannel(channel) })
	}
	_ = l.raw.Close()
	work.Wait()
	timer := time.NewTimer(time.Until(l.raw.lastHeard().Add(l.s.c.silenceTimeout())))
	defer timer.Stop()
	select {
	case <-l.replaced:
		return
	case <-timer.C:
	case <-l.s.ctx.Done():
	}
	l.giveUp()
}

// answerRequests answers a client's requests until the connection ends. The refusal of a keepalive is the
// answer that it needs.
func (l *link) answerRequests(requests <-chan *ssh.Request) {
	for r := range requests {
		var wanted sessionsRequest
		ok := r.Type == requestSessions && ssh.Unmarshal(r.Payload, &wanted) == nil
		if ok {
			l.keepWanted(wanted)
		}
		_ = r.Reply(ok, nil)
	}
}

// keepWanted ends the sessions that a client does not want any more. The first call makes this connection the
// client's. An older one, whose end this host has not noticed, is closed.
func (l *link) keepWanted(wanted sessionsRequest) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.client == nil {
		l.key = clientKey{l.conn.User(), wanted.Client}
		l.client = l.s.clients[l.key]
		if l.client == nil {
			l.client = &client{sessions: map[uint32]*session{}}
			l.s.clients[l.key] = l.client
		} else {
			close(l.client.link.replaced)
			_ = l.client.link.raw.Close()
		}
		l.client.link = l
	}
	for id, n := range l.client.sessions {
		if id <= wanted.Last && !slices.Contains(wanted.Wanted, formatID(id)) {
			n.finish()
			delete(l.client.sessions, id)
		}
	}
}

// giveUp ends the sessions of a client that has no other connection.
func (l *link) giveUp() {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.client == nil || l.client.link != l {
		return
	}
	for _, n := range l.client.sessions {
		n.finish()
	}
	delete(l.s.clients, l.key)
}

// serveChannel refuses every request but the first exec, which it carries out.
func (l *link) serveChannel(channel ssh.NewChannel) {
	ch, requests, err := channel.Accept()
	if err != nil {
		return
	}
	defer func() { _ = ch.Close() }()
	for r := range requests {
		var call execRequest
		if r.Type != requestExec || ssh.Unmarshal(r.Payload, &call) != nil {
			_ = r.Reply(false, nil)
			continue
		}
		n := l.session(call)
		_ = r.Reply(n != nil, nil)
		if n != nil {
			go ssh.DiscardRequests(requests) // until the channel ends
			n.carry(ch)
			return
		}
	}
}

// session returns the session that a client asks for. It starts the daemon of a new one. It returns nil where
// there is none any more, and for a client that has another connection.
func (l *link) session(call execRequest) *session {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.client == nil || l.client.link != l {
		return nil
	}
	n := l.client.sessions[call.ID]
	if n == nil && !call.Resumed {
		n = newSession(serverSends)
		l.client.sessions[call.ID] = n
		l.s.work.Go(func() { l.s.runDaemon(n, call.Command) })
	}
	return n
}

// sayGoodbye tells the clients that this host's run ends, and closes their connections.
func (s *Server) sayGoodbye() {
	s.mu.Lock()
	var links []*link
	for _, c := range s.clients {
		links = append(links, c.link)
	}
	s.mu.Unlock()
	var work sync.WaitGroup
	for _, l := range links {
		work.Go(func() {
			defer time.AfterFunc(s.c.farewellTimeout(), func() { _ = l.raw.Close() }).Stop()
			_, _, _ = l.conn.SendRequest(requestEnd, true, nil)
		})
	}
	work.Wait()
}
