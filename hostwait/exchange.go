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

// maxDatagram is the number of bytes that a server may send in one datagram. Datagrams of this size reach
// every host unfragmented (DNS flag day 2020). A server that does not know EDNS sends at most 512 bytes.
const maxDatagram = 1232

// errNoEDNS says that a server refused a question because it does not know the EDNS record in it.
var errNoEDNS = errors.New("the name server does not know EDNS")

// exchange asks one server one question. It repeats the question without EDNS where the server does not
// know EDNS.
func (n *NameServers) exchange(
	ctx context.Context, server netip.AddrPort, name string, kind dnsmessage.Type,
) ([]netip.Addr, error) {
	full, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, errNoSuchHost
	}
	q := query{question: dnsmessage.Question{Name: full, Type: kind, Class: dnsmessage.ClassINET}, edns: true}
	addrs, err := n.overUDPOrTCP(ctx, server, q)
	if errors.Is(err, errNoEDNS) {
		q.edns = false
		addrs, err = n.overUDPOrTCP(ctx, server, q)
	}
	return addrs, err
}

// overUDPOrTCP asks by UDP, and again by TCP where the answer does not fit into a datagram.
func (n *NameServers) overUDPOrTCP(
	ctx context.Context, server netip.AddrPort, q query,
) ([]netip.Addr, error) {
	for _, network := range []string{"udp", "tcp"} {
		addrs, truncated, err := n.askOnce(ctx, network, server, q)
		if err != nil || !truncated {
			return addrs, err
		}
	}
	return nil, errors.New("the name server's answer is too long")
}

// askOnce sends a query to a server and waits for its reply. Other messages may be late replies to earlier
// questions, or forged ones. Like the C library, it skips them. It reports whether the reply is truncated.
func (n *NameServers) askOnce(
	ctx context.Context, network string, server netip.AddrPort, q query,
) (addrs []netip.Addr, truncated bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, n.Timeout)
	defer cancel()
	q.id = uint16(rand.Uint32()) //nolint:gosec // the runtime's generator is ChaCha8, seeded by the kernel
	packed, err := q.encode()
	if err != nil {
		return nil, false, errNoSuchHost
	}
	var dialer net.Dialer
	// On a connected socket the kernel drops the messages of all other addresses.
	conn, err := dialer.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, false, fmt.Errorf("name server %s: %w", server.Addr(), err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	stream := network == "tcp"
	const otherReplies = "sends only replies that do not belong to the question"
	problem := "does not answer"
	for err = sendMessage(conn, stream, packed); err == nil; problem = otherReplies {
		var reply []byte
		if reply, err = receiveMessage(conn, stream); err != nil {
			break
		}
		if addrs, truncated, err := q.decode(reply); !errors.Is(err, errOtherMessage) {
			return addrs, truncated, err
		}
	}
	return nil, false, fmt.Errorf("name server %s %s", server.Addr(), problem)
}

// sendMessage sends a message. Over TCP the length of the message precedes it in two bytes (RFC 1035,
// section 4.2.2).
func sendMessage(conn net.Conn, stream bool, message []byte) error {
	if stream {
		length := uint16(len(message)) //nolint:gosec // a query of one name is short
		message = append(binary.BigEndian.AppendUint16(nil, length), message...)
	}
	_, err := conn.Write(message)
	return err
}

// receiveMessage receives a message as sendMessage sends it.
func receiveMessage(conn net.Conn, stream bool) ([]byte, error) {
	if !stream {
		message := make([]byte, 4*maxDatagram) // some servers send more than they may
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

// query is one question to a name server, together with the number that its reply must repeat.
type query struct {
	id       uint16
	question dnsmessage.Question
	edns     bool
}

func (q *query) encode() ([]byte, error) {
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: q.id, RecursionDesired: true},
		Questions: []dnsmessage.Question{q.question},
	}
	if q.edns {
		var header dnsmessage.ResourceHeader
		if err := header.SetEDNS0(maxDatagram, dnsmessage.RCodeSuccess, false); err != nil {
			return nil, err
		}
		message.Additionals = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.OPTResource{}}}
	}
	return message.Pack()
}

// errOtherMessage says that a message is not the reply to the query.
var errOtherMessage = errors.New("the name server answers something else")

// decode reads a reply. A truncated reply gives no addresses, since its last record may be incomplete.
func (q *query) decode(reply []byte) (addrs []netip.Addr, truncated bool, err error) {
	var p dnsmessage.Parser
	header, err := p.Start(reply)
	if err != nil || !header.Response || header.ID != q.id {
		return nil, false, errOtherMessage
	}
	questions, err := p.AllQuestions()
	if err != nil || !q.isRepeatedBy(questions, header.RCode) {
		return nil, false, errOtherMessage
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
	addrs, err = readAddresses(&p)
	return addrs, false, err
}

// isRepeatedBy reports whether the questions of a reply are the question of the query. A server that could
// not read the question may leave it out.
func (q *query) isRepeatedBy(questions []dnsmessage.Question, code dnsmessage.RCode) bool {
	if len(questions) == 0 {
		return code != dnsmessage.RCodeSuccess && code != dnsmessage.RCodeNameError
	}
	got := questions[0]
	return len(questions) == 1 && got.Type == q.question.Type && got.Class == q.question.Class &&
		strings.EqualFold(got.Name.String(), q.question.Name.String())
}

// readAddresses reads the addresses of a reply whose questions were read.
func readAddresses(p *dnsmessage.Parser) ([]netip.Addr, error) {
	answers, err := p.AllAnswers()
	if err != nil {
		return nil, errOtherMessage
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
