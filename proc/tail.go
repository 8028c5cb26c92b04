package proc

import (
	"bytes"
	"slices"
)

const (
	tailSize   = 64 << 10 // how much of the end of stderr is kept, in bytes
	markedSize = 32 << 10 // how much is kept beside it, from a marked line on
	pieceSize  = 16 << 10 // how much is added at once: what is marked is still in the ring when it is saved
	lineSize   = 256      // how much of a line may stand in front of a marker
)

// tail keeps the last tailSize bytes of a stream as a terminal shows them: what a carriage return has
// overwritten is no part of it, so that a progress bar does not push out what came before. Beside them it
// keeps what follows the last line that has the marker, once the ring has no room for that any more.
// Positions count all bytes that were kept.
type tail struct {
	marker []byte
	ring   []byte // the byte at a position is at the position modulo tailSize
	end    int    // position of the next byte
	low    int    // position of the oldest byte in the ring
	line   int    // where the last line begins
	turned bool   // the last byte is a carriage return
	mark   int    // where the marked line begins; -1 for none
	saved  []byte // what follows there, once it is to be pushed out of the ring
	before []byte // the end of the last piece, in which a marker may begin
}

func newTail(marker string) tail { return tail{marker: []byte(marker), mark: -1} }

func (t *tail) add(data []byte) {
	for len(data) > 0 {
		if t.turned {
			if data = bytes.TrimLeft(data, "\r"); len(data) == 0 {
				return
			}
			t.turnBack(data[0])
		}
		n := bytes.IndexByte(data, '\r') + 1
		if t.turned = n > 0; n == 0 {
			n = len(data)
		}
		t.put(data[:n])
		data = data[n:]
	}
}

// turnBack goes to the line's beginning when something other than its end follows a carriage return.
func (t *tail) turnBack(next byte) {
	if next == '\n' {
		return
	}
	t.end, t.low, t.before = t.line, min(t.low, t.line), t.before[:0]
	if t.mark >= t.end {
		t.mark, t.saved = -1, nil
	}
}

// put adds what has a carriage return at its end only.
func (t *tail) put(data []byte) {
	for len(data) > 0 {
		piece := data[:min(len(data), pieceSize)]
		data = data[len(piece):]
		t.save(t.end + len(piece))
		start := t.end
		t.write(piece)
		t.seek(piece, start)
		if i := bytes.LastIndexByte(piece, '\n'); i >= 0 {
			t.line = start + i + 1
		}
	}
}

// write puts bytes into the ring, which grows until it has its size.
func (t *tail) write(piece []byte) {
	if need := min(t.end+len(piece), tailSize); need > len(t.ring) {
		t.ring = append(t.ring, make([]byte, need-len(t.ring))...)
	}
	for len(piece) > 0 {
		n := copy(t.ring[t.end%tailSize:], piece)
		t.end += n
		piece = piece[n:]
	}
	t.low = max(t.low, t.end-tailSize)
}

// seek marks the line of each marker in a piece that was put at start. A marker that is near the last one
// belongs to what follows there.
func (t *tail) seek(piece []byte, start int) {
	if len(t.marker) == 0 {
		return
	}
	most := len(t.marker) - 1
	t.before = append(t.before, piece[:min(len(piece), most)]...)
	if bytes.Contains(t.before, t.marker) {
		t.setMark(max(t.line, start-lineSize))
	}
	t.before = append(t.before[:0], t.before[max(0, len(t.before)-most):]...)
	if len(piece) >= most {
		t.before = append(t.before[:0], piece[len(piece)-most:]...)
	}
	for from := 0; ; {
		i := bytes.Index(piece[from:], t.marker)
		if i < 0 {
			break
		}
		i += from
		from = i + len(t.marker)
		line := t.line
		if newline := bytes.LastIndexByte(piece[:i], '\n'); newline >= 0 {
			line = start + newline + 1
		}
		t.setMark(max(line, start+i-lineSize))
	}
}

func (t *tail) setMark(at int) {
	at = max(at, t.low)
	if t.mark < 0 || at-t.mark > markedSize/2 {
		t.mark, t.saved = at, nil
	}
}

// save keeps what is marked when the ring is about to lose its beginning.
func (t *tail) save(most int) {
	if t.mark >= 0 && t.saved == nil && most-tailSize > t.mark {
		t.saved = t.slice(t.mark, min(t.end, t.mark+markedSize))
	}
}

// slice copies what is between two positions.
func (t *tail) slice(from, to int) []byte {
	got := make([]byte, 0, max(0, to-from))
	for from < to {
		n := min(to-from, tailSize-from%tailSize)
		got = append(got, t.ring[from%tailSize:from%tailSize+n]...)
		from += n
	}
	return got
}

// bytes is a copy of what is kept: what is marked, and then the end of the stream.
func (t *tail) bytes() []byte {
	last := t.slice(t.low, t.end)
	if t.saved == nil {
		return last
	}
	marked := t.saved[:min(len(t.saved), t.low-t.mark)]
	if t.mark+len(marked) < t.low {
		marked = append(slices.Clip(marked), '\n')
	}
	return append(slices.Clip(marked), last...)
}
