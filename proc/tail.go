package proc

import (
	"bytes"
	"slices"
)

const (
	tailSize   = 64 << 10 // bytes of the end of stderr that are kept
	markedSize = 32 << 10 // bytes that are kept beside them, from the marked line on
	pieceSize  = 16 << 10 // bytes that are added at once: the ring still has the marked line when that is saved
	lineSize   = 256      // bytes of a line that are kept in front of a marker
)

// tail keeps the last tailSize bytes of a stream as a terminal shows them. Text that a carriage return has
// overwritten does not count, so that a progress bar does not push out the lines before it. Beside them
// tail keeps the text that follows the last line with the marker, once the ring has no room for it.
// Positions count all bytes that were kept.
type tail struct {
	marker   []byte
	ring     []byte // the byte at a position is at the position modulo tailSize
	end      int    // position of the next byte
	oldest   int    // position of the oldest byte in the ring
	line     int    // position where the last line begins
	returned bool   // the last byte is a carriage return
	mark     int    // position where the marked line begins; -1 for none
	saved    []byte // the text from there on, once the ring is about to lose it
	before   []byte // the end of the last piece, in which a marker may begin
}

func newTail(marker string) tail { return tail{marker: []byte(marker), mark: -1} }

// add adds the next bytes of the stream.
func (t *tail) add(data []byte) {
	for len(data) > 0 {
		if t.returned {
			if data = bytes.TrimLeft(data, "\r"); len(data) == 0 {
				return
			}
			t.overwriteLine(data[0])
		}
		n := bytes.IndexByte(data, '\r') + 1
		if t.returned = n > 0; n == 0 {
			n = len(data)
		}
		t.put(data[:n])
		data = data[n:]
	}
}

// overwriteLine drops the last line, since a carriage return came before the byte next. A newline
// overwrites nothing.
func (t *tail) overwriteLine(next byte) {
	if next == '\n' {
		return
	}
	t.end, t.oldest, t.before = t.line, min(t.oldest, t.line), t.before[:0]
	if t.mark >= t.end {
		t.mark, t.saved = -1, nil
	}
}

// put adds bytes that have a carriage return at their end at most.
func (t *tail) put(data []byte) {
	for len(data) > 0 {
		piece := data[:min(len(data), pieceSize)]
		data = data[len(piece):]
		t.save(t.end + len(piece))
		start := t.end
		t.write(piece)
		t.findMarkers(piece, start)
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
	t.oldest = max(t.oldest, t.end-tailSize)
}

// findMarkers marks the line of each marker in a piece that begins at the position start.
func (t *tail) findMarkers(piece []byte, start int) {
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

// setMark marks a line, unless it is close to the marked one: then it belongs to the text that follows that.
func (t *tail) setMark(at int) {
	at = max(at, t.oldest)
	if t.mark < 0 || at-t.mark > markedSize/2 {
		t.mark, t.saved = at, nil
	}
}

// save saves the text from the marked line on, if the ring loses that line when the stream reaches the
// position end.
func (t *tail) save(end int) {
	if t.mark >= 0 && t.saved == nil && end-tailSize > t.mark {
		t.saved = t.slice(t.mark, min(t.end, t.mark+markedSize))
	}
}

// slice copies the bytes between two positions.
func (t *tail) slice(from, to int) []byte {
	got := make([]byte, 0, max(0, to-from))
	for from < to {
		n := min(to-from, tailSize-from%tailSize)
		got = append(got, t.ring[from%tailSize:from%tailSize+n]...)
		from += n
	}
	return got
}

// bytes is a copy of the text from the marked line on, and then of the end of the stream.
func (t *tail) bytes() []byte {
	last := t.slice(t.oldest, t.end)
	if t.saved == nil {
		return last
	}
	marked := t.saved[:min(len(t.saved), t.oldest-t.mark)]
	if t.mark+len(marked) < t.oldest {
		marked = append(slices.Clip(marked), '\n')
	}
	return append(slices.Clip(marked), last...)
}
