// Package recordio reads and writes RecordIO. This format delimits the records of a Pipe-mode channel
// that has the RecordWrapperType RecordIO. The package is pure: it takes bytes and returns bytes.
//
// The format is that of dmlc-core. A record is a header, the data, and zeros up to a multiple of four
// bytes. The header has two little-endian numbers of 32 bits: the magic, and flag<<29 | length. If the
// data contain the magic at a multiple of four, the writer leaves it out there and begins a new part of
// the record. The flag says which part it is.
package recordio

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Form is how a stream outside of RecordIO delimits its records.
type Form string

// The forms of a stream.
const (
	LengthPrefixed Form = "length-prefixed" // before each record stands its length: 8 bytes, little-endian
	Newline        Form = "newline"         // each record is a line
	Raw            Form = "raw"             // nothing delimits the records
)

// Forms returns the names of all forms, the default first.
func Forms() []string { return []string{string(LengthPrefixed), string(Newline), string(Raw)} }

// Options say how to convert a stream.
type Options struct {
	Form Form
	// Bare joins the parts of a record without the magic between them. The writer of dmlc-core splits a
	// record only where it leaves out the magic. Other writers split anywhere, and the platform's extension
	// for TensorFlow joins the parts without the magic.
	Bare bool
}

// FormatError says where a stream breaks its format.
type FormatError struct {
	Offset int64 // the offset of the record in the stream, in bytes
	Msg    string
}

func (e *FormatError) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Msg) }

// The flags of a header say which part of a record follows.
const (
	whole  = 0
	first  = 1
	middle = 2
	last   = 3
)

const (
	magic      = 0xced7230a
	headerSize = 8         // bytes
	maxPart    = 1<<29 - 1 // bytes
	bufferSize = 1 << 20   // bytes
)

// padding is the number of zeros after size bytes of data.
func padding(size int) int { return -size & 3 }

// AppendRecord appends a record as RecordIO to the slice to. Like dmlc-core it begins a new part at each
// magic in the data. A record of 2^29 bytes or more is an error.
func AppendRecord(to, record []byte) ([]byte, error) {
	if len(record) > maxPart {
		return to, fmt.Errorf("a record of %d bytes, RecordIO takes at most %d", len(record), maxPart)
	}
	flag, final := first, whole
	for i := alignedMagic(record); i >= 0; i = alignedMagic(record) {
		to = appendPart(to, flag, record[:i])
		record = record[i+len(magicBytes()):]
		flag, final = middle, last
	}
	return appendPart(to, final, record), nil
}

// appendPart appends the header, the data and the zeros of one part.
func appendPart(to []byte, flag int, data []byte) []byte {
	to = binary.LittleEndian.AppendUint32(to, magic)
	to = binary.LittleEndian.AppendUint32(to, uint32(flag)<<29|uint32(len(data)))
	to = append(to, data...)
	return append(to, make([]byte, padding(len(data)))...)
}

// magicBytes returns the magic as it stands in a stream.
func magicBytes() []byte {
	return []byte{magic & 0xff, magic >> 8 & 0xff, magic >> 16 & 0xff, magic >> 24}
}

// alignedMagic returns the first multiple of four at which data contains the magic, or -1.
func alignedMagic(data []byte) int {
	for from := 0; ; {
		i := bytes.Index(data[from:], magicBytes())
		switch {
		case i < 0:
			return -1
		case (from+i)%4 == 0:
			return from + i
		}
		from += i + 1
	}
}
