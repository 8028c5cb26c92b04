package remote

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// The streams of a session. The client sends the first, the server sends the others.
const (
	stdinStream  = iota
	stdoutStream // of the daemon, as the next one
	stderrStream
	codeStream  // one byte: the daemon's exit code
	streamCount // how many there are
)

const (
	maxKept  = 256 << 10 // bytes of a stream that the other side has not acknowledged
	maxFrame = 32 << 10  // bytes of a stream in one frame
)

// The kinds of frames.
const (
	frameData = iota // bytes of a stream. The number is that of the first
	frameEnd         // no bytes follow. The number is that of the byte that would be next
	frameAck         // all bytes before the number have been delivered
)

// frameHeader begins each frame.
type frameHeader struct {
	Kind, Stream uint8
	Length       uint32 // of the bytes that follow
	Number       uint64
}

// stream is one side of a stream: the bytes of it that this side keeps. The sender keeps bytes until they are
// acknowledged, and the receiver until they are delivered.
type stream struct {
	first uint64 // the number of the first byte in kept
	kept  []byte
	ended bool // no bytes follow those in kept
}

// next is the number of the byte after those in kept.
func (s *stream) next() uint64 { return s.first + uint64(len(s.kept)) }

// drop gives up the bytes before number.
func (s *stream) drop(number uint64) {
	if number > s.first && number <= s.next() {
		s.kept = append([]byte(nil), s.kept[number-s.first:]...)
		s.first = number
	}
}

// session holds the streams of one daemon, on one of the two hosts. Their bytes cross by channels, one after
// the other: the next channel goes on where the last one has ended.
type session struct {
	sends func(stream uint8) bool // whether this side sends a stream. It receives the others
	over  chan struct{}           // closed by finish

	mu      sync.Mutex
	changed sync.Cond // of everything below
	streams [streamCount]stream
	isOver  bool
}

func newSession(sends func(stream uint8) bool) *session {
	s := &session{sends: sends, over: make(chan struct{})}
	s.changed.L = &s.mu
	return s
}

func clientSends(stream uint8) bool { return stream == stdinStream }
func serverSends(stream uint8) bool { return stream != stdinStream }

// finish ends a session: nobody wants its bytes any more. Every method returns then.
func (s *session) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isOver {
		s.isOver = true
		close(s.over)
		s.changed.Broadcast()
	}
}

// isFinished says whether finish was called.
func (s *session) isFinished() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isOver
}

var errSessionOver = errors.New("the session is over")

// streamWriter writes to a stream that this side sends. Write waits while too much is not acknowledged.
type streamWriter struct {
	s      *session
	stream uint8
}

func (w streamWriter) Write(b []byte) (n int, err error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	stream := &w.s.streams[w.stream]
	for n < len(b) {
		for len(stream.kept) >= maxKept && !w.s.isOver {
			w.s.changed.Wait()
		}
		if w.s.isOver {
			return n, errSessionOver
		}
		part := b[n:min(len(b), n+maxKept-len(stream.kept))]
		stream.kept = append(stream.kept, part...)
		n += len(part)
		w.s.changed.Broadcast()
	}
	return n, nil
}

// end says that no bytes follow.
func (w streamWriter) end() {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.s.streams[w.stream].ended = true
	w.s.changed.Broadcast()
}

// deliver writes a stream that this side receives to a writer, up to its end or the end of the session. It
// discards what the writer does not take, so that the daemon does not block.
func (s *session) deliver(stream uint8, to io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := &s.streams[stream]
	for {
		for len(from.kept) == 0 && !from.ended && !s.isOver {
			s.changed.Wait()
		}
		part, first := from.kept, from.first
		if len(part) == 0 {
			return
		}
		s.mu.Unlock()
		if _, err := to.Write(part); err != nil {
			to = io.Discard
		}
		s.mu.Lock()
		from.drop(first + uint64(len(part)))
		s.changed.Broadcast() // an acknowledgement is due
	}
}

// carry exchanges the streams' bytes by a channel, until the channel or the session ends. It closes the
// channel.
func (s *session) carry(channel io.ReadWriteCloser) {
	var work sync.WaitGroup
	hasEnded := false // guarded by s.mu
	work.Go(func() {
		s.sendAll(channel, &hasEnded)
		_ = channel.Close()
	})
	_ = s.receiveAll(channel)
	_ = channel.Close()
	s.mu.Lock()
	hasEnded = true
	s.changed.Broadcast()
	s.mu.Unlock()
	work.Wait()
}

// sendAll sends what the other side lacks: all bytes that it has not acknowledged, and acknowledgements.
func (s *session) sendAll(channel io.Writer, hasEnded *bool) {
	next := s.firstFrames()
	for {
		frame := next(hasEnded)
		if frame == nil {
			return
		}
		if _, err := channel.Write(frame); err != nil {
			return
		}
	}
}

// firstFrames returns a function that returns one frame after the other, for a new channel. The function
// waits until there is something to send. It returns nil at the end of the session or of the channel.
func (s *session) firstFrames() func(hasEnded *bool) []byte {
	var said [streamCount]uint64 // the next byte to send, or the last acknowledgement
	var saidEnd [streamCount]bool
	return func(hasEnded *bool) []byte {
		s.mu.Lock()
		defer s.mu.Unlock()
		for ; !s.isOver && !*hasEnded; s.changed.Wait() {
			for i := range uint8(streamCount) {
				if frame := s.frame(i, &said[i], &saidEnd[i]); frame != nil {
					return frame
				}
			}
		}
		return nil
	}
}

// frame returns the next frame of a stream; nil where there is nothing to send. said is the
// number of the byte after those that this channel has carried, or the last acknowledgement. saidEnd says
// whether the end is said.
func (s *session) frame(i uint8, said *uint64, saidEnd *bool) []byte {
	stream := &s.streams[i]
	from := max(*said, stream.first)
	switch {
	case !s.sends(i) && from > *said:
		*said = from
		return encodeFrame(frameAck, i, from, nil)
	case s.sends(i) && from < stream.next():
		part := stream.kept[from-stream.first:]
		part = part[:min(len(part), maxFrame)]
		*said = from + uint64(len(part))
		return encodeFrame(frameData, i, from, part)
	case s.sends(i) && stream.ended && !*saidEnd:
		*saidEnd = true
		return encodeFrame(frameEnd, i, stream.next(), nil)
	}
	return nil
}

func encodeFrame(kind, stream uint8, number uint64, bytes []byte) []byte {
	length := uint32(len(bytes)) //nolint:gosec // at most maxFrame
	frame, _ := binary.Append(nil, binary.BigEndian, frameHeader{kind, stream, length, number})
	return append(frame, bytes...) // a header is always encoded
}

// receiveAll takes the other side's frames until the channel ends.
func (s *session) receiveAll(channel io.Reader) error {
	for {
		var h frameHeader
		if err := binary.Read(channel, binary.BigEndian, &h); err != nil {
			return err
		}
		if h.Length > maxFrame || h.Stream >= streamCount {
			return errBadFrame
		}
		bytes := make([]byte, h.Length)
		if _, err := io.ReadFull(channel, bytes); err != nil {
			return err
		}
		if err := s.receive(h, bytes); err != nil {
			return err
		}
	}
}

var errBadFrame = errors.New("a frame that does not follow from the frames before it")

// receive takes one frame. Bytes that have been received before are skipped: a new channel begins with all
// bytes that the sender does not know to have been delivered.
func (s *session) receive(h frameHeader, bytes []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	stream := &s.streams[h.Stream]
	switch sent := s.sends(h.Stream); {
	case h.Kind == frameAck && sent:
		stream.drop(h.Number)
	case h.Kind == frameEnd && !sent && h.Number == stream.next():
		stream.ended = true
	case h.Kind == frameData && !sent && h.Number <= stream.next():
		fresh := bytes[min(stream.next()-h.Number, uint64(len(bytes))):]
		if len(stream.kept)+len(fresh) > maxKept || stream.ended && len(fresh) > 0 {
			return errBadFrame
		}
		stream.kept = append(stream.kept, fresh...)
	default:
		return errBadFrame
	}
	s.changed.Broadcast()
	return nil
}
