package hostwait

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// datagram is how many bytes of an answer a server may send in one datagram: what reaches everybody unfragmented (the
// DNS flag day of 2020). A server that knows nothing of EDNS sends 512.
const datagram = 1232

// errNoEDNS is a server's answer to a question with the EDNS record when it does not know the record.
var errNoEDNS = errors.New("the name server does not know EDNS")

// exchange asks one server one question: by TCP when the answer does not fit into a datagram, and without EDNS when the
// server does not know that.
func (n *NameServers) exchange(
	ctx context.Context, server netip.AddrPort, name string, kind dnsmessage.Type,
) ([]netip.Addr, error) {
	full, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, errNoSuchHost
	}
	q := query{question: dnsmessage.Question{Name: full, Type: kind, Class: dnsmessage.ClassINET}, edns: true}
	addrs, err := n.overAny(ctx, server, q)
	if errors.Is(err, errNoEDNS) {
		q.edns = false
		addrs, err = n.overAny(ctx, server, q)
	}
	return addrs, err
}

func (n *NameServers) overAny(ctx context.Context, server netip.AddrPort, q query) ([]netip.Addr, error) {
	for _, network := range []string{"udp", "tcp"} {
		addrs, truncated, err := n.once(ctx, network, server, q)
		if err != nil || !truncated {
			return addrs, err
		}
	}
	return nil, errors.New("the name server's answer is too long")
}

// once sends a query to a server and waits for its reply. What else arrives meanwhile may be a late reply to an earlier
// question, or a forged one: it is skipped, as the C library does.
func (n *NameServers) once(ctx context.Context, network string, server netip.AddrPort, q query) ([]netip.Addr, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, n.Timeout)
	defer cancel()
	q.id = uint16(rand.Uint32()) //nolint:gosec // the runtime's generator is ChaCha8, seeded by the kernel
	packed, err := q.pack()
	if err != nil {
		return nil, false, errNoSuchHost
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, server.String()) // the kernel drops what another address sends
	if err != nil {
		return nil, false, fmt.Errorf("name server %s: %w", server.Addr(), err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	stream := network == "tcp"
	why := "does not answer"
	for err = send(conn, stream, packed); err == nil; why = "sends only replies that do not belong to the question" {
		var reply []byte
		if reply, err = receive(conn, stream); err != nil {
			break
		}
		if addrs, truncated, err := q.read(reply); !errors.Is(err, errNotOurs) {
			return addrs, truncated, err
		}
	}
	return nil, false, fmt.Errorf("name server %s %s", server.Addr(), why)
}

// send sends a message; over TCP it follows its length in two bytes.
func send(conn net.Conn, stream bool, message []byte) error {
	if stream {
		message = append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...) //nolint:gosec // a query of one name is short
	}
	_, err := conn.Write(message)
	return err
}

func receive(conn net.Conn, stream bool) ([]byte, error) {
	if !stream {
		message := make([]byte, 4*datagram) // more than was asked for, since some servers do not care
		size, err := conn.Read(message)
		return message[:size], err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(conn, message)
	return message, err
}

// query is a question on its way.
type query struct {
	id       uint16
	question dnsmessage.Question
	edns     bool
}

func (q *query) pack() ([]byte, error) {
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: q.id, RecursionDesired: true},
		Questions: []dnsmessage.Question{q.question},
	}
	if q.edns {
		var header dnsmessage.ResourceHeader
		if err := header.SetEDNS0(datagram, dnsmessage.RCodeSuccess, false); err != nil {
			return nil, err
		}
		message.Additionals = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.OPTResource{}}}
	}
	return message.Pack()
}

// errNotOurs is a message that is no reply to the query.
var errNotOurs = errors.New("the name server answers something else")

// read reads a reply. A truncated one has no addresses: its records may end anywhere.
func (q *query) read(reply []byte) (addrs []netip.Addr, truncated bool, err error) {
	var p dnsmessage.Parser
	header, err := p.Start(reply)
	if err != nil || !header.Response || header.ID != q.id {
		return nil, false, errNotOurs
	}
	questions, err := p.AllQuestions()
	if err != nil || !q.isAbout(questions, header.RCode) {
		return nil, false, errNotOurs
	}
	switch code := header.RCode; {
	case code == dnsmessage.RCodeNameError:
		return nil, false, errNoSuchHost
	case q.edns && (code == dnsmessage.RCodeFormatError || code == dnsmessage.RCodeNotImplemented):
		return nil, false, errNoEDNS
	case code != dnsmessage.RCodeSuccess:
		return nil, false, fmt.Errorf("the name server says %s", strings.TrimPrefix(code.String(), "RCode"))
	case header.Truncated:
		return nil, true, nil
	}
	addrs, err = addresses(&p)
	return addrs, false, err
}

// isAbout says whether a reply repeats the question. A server that could not read the question may leave it out.
func (q *query) isAbout(questions []dnsmessage.Question, code dnsmessage.RCode) bool {
	if len(questions) == 0 {
		return code != dnsmessage.RCodeSuccess && code != dnsmessage.RCodeNameError
	}
	got := questions[0]
	return len(questions) == 1 && got.Type == q.question.Type && got.Class == q.question.Class &&
		strings.EqualFold(got.Name.String(), q.question.Name.String())
}

func addresses(p *dnsmessage.Parser) ([]netip.Addr, error) {
	answers, err := p.AllAnswers()
	if err != nil {
		return nil, errNotOurs
	}
	var addrs []netip.Addr
	for _, answer := range answers {
		switch body := answer.Body.(type) {
		case *dnsmessage.AResource:
			addrs = append(addrs, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			addrs = append(addrs, netip.AddrFrom16(body.AAAA))
		}
	}
	return addrs, nil
}
