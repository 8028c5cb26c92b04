package recordio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
)

// chunkSize is a multiple of four, so that no aligned magic crosses the end of a chunk.
const chunkSize = 128 << 10 // bytes

// record holds the bytes of one record in chunks. It grows with the bytes that come, and never moves them:
// a slice that grows would hold the record twice. It keeps its chunks for the next record.
type record struct {
	chunks [][]byte // each of chunkSize bytes
	size   int64    // the number of bytes in use
}

// reset forgets the bytes.
func (r *record) reset() { r.size = 0 }

// space returns the unused bytes of a chunk, at least one.
func (r *record) space() []byte {
	i, used := int(r.size/chunkSize), int(r.size%chunkSize)
	if i == len(r.chunks) {
		r.chunks = append(r.chunks, make([]byte, chunkSize))
	}
	return r.chunks[i][used:]
}

// Write appends bytes. It never fails.
func (r *record) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := copy(r.space(), rest)
		r.size += int64(n)
		rest = rest[n:]
	}
	return len(p), nil
}

// readFrom appends n bytes of in. It returns how many came. The error io.EOF says that in ended before.
func (r *record) readFrom(in *bufio.Reader, n int64) (read int64, err error) {
	for read < n && err == nil {
		var now int
		space := r.space()
		now, err = in.Read(space[:min(int64(len(space)), n-read)])
		read += int64(now)
		r.size += int64(now)
	}
	if read == n {
		err = nil
	}
	return read, err
}

// each calls do with the bytes from one offset to another, piece by piece. It ends at the first error.
func (r *record) each(from, to int64, do func(piece []byte) error) error {
	for from < to {
		chunk := r.chunks[from/chunkSize][from%chunkSize:]
		piece := chunk[:min(int64(len(chunk)), to-from)]
		if err := do(piece); err != nil {
			return err
		}
		from += int64(len(piece))
	}
	return nil
}

// writeTo writes the bytes from one offset to another.
func (r *record) writeTo(w io.Writer, from, to int64) error {
	return r.each(from, to, func(piece []byte) error {
		_, err := w.Write(piece)
		return err
	})
}

// word returns the little-endian number of 32 bits at an offset.
func (r *record) word(at int64) uint32 {
	b := make([]byte, 0, 4)
	_ = r.each(at, at+4, func(piece []byte) error {
		b = append(b, piece...)
		return nil
	})
	return binary.LittleEndian.Uint32(b)
}

// overwrite puts other bytes at an offset.
func (r *record) overwrite(at int64, data []byte) {
	_ = r.each(at, at+int64(len(data)), func(piece []byte) error {
		data = data[copy(piece, data):]
		return nil
	})
}

// nextMagic returns the first multiple of four from an offset on at which the record holds the magic, or its
// size if there is none. The offset is a multiple of four.
func (r *record) nextMagic(from int64) int64 {
	for from < r.size {
		i := int(from / chunkSize)
		start := int64(i) * chunkSize
		chunk := r.chunks[i][:min(chunkSize, r.size-start)]
		if found := alignedMagic(chunk, int(from-start)); found >= 0 {
			return start + int64(found)
		}
		from = start + chunkSize
	}
	return r.size
}

// alignedMagic returns the first multiple of four, not before from, at which data contains the magic, or -1.
func alignedMagic(data []byte, from int) int {
	sign := magicBytes()
	for {
		i := bytes.Index(data[from:], sign)
		switch {
		case i < 0:
			return -1
		case (from+i)%4 == 0:
			return from + i
		}
		from += i + 1
	}
}
