// Package recordio reads and writes RecordIO, which delimits the records of a Pipe-mode channel whose
// RecordWrapperType says so.
//
// It is pure. A record is a header of two little-endian numbers of 32 bits, the magic and flag<<29 | length, then the
// data, then zeros up to a multiple of four bytes. Where the data hold the magic at such a multiple the writer of
// dmlc-core, whose format it is, leaves the magic out and goes on with a new part; the flag says which part it is.
package recordio

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Form is how records are told apart outside of RecordIO.
type Form string

// The forms.
const (
	LengthPrefixed Form = "length-prefixed" // 8 bytes, little-endian, say how many follow
	Newline        Form = "newline"         // each record is a line
	Raw            Form = "raw"             // nothing is between them
)

// Forms are all forms, the default first.
func Forms() []string { return []string{string(LengthPrefixed), string(Newline), string(Raw)} }

// Options say what is on the other side.
type Options struct {
	Form Form
	// Bare joins the parts of a record by nothing instead of by the magic that dmlc-core's writer took out there:
	// some writers split where they like, and the platform's extension for TensorFlow reads them so.
	Bare bool
}

// FormatError says where a stream stops being what it should be.
type FormatError struct {
	Offset int64 // of the record, in bytes
	Msg    string
}

func (e *FormatError) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Msg) }

// The flags of a header.
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
	bufferSize = 1 << 20
)

func pad(size int) int { return -size & 3 }

// AppendRecord appends a record with its header. Each part ends where the next magic is, as in dmlc-core.
func AppendRecord(to, record []byte) ([]byte, error) {
	if len(record) > maxPart {
		return to, fmt.Errorf("a record of %d bytes, RecordIO takes at most %d", len(record), maxPart)
	}
	flag, final := first, whole
	for i := alignedMagic(record); i >= 0; i = alignedMagic(record) {
		to = appendPart(to, flag, record[:i])
		record = record[i+len(sign()):]
		flag, final = middle, last
	}
	return appendPart(to, final, record), nil
}

func appendPart(to []byte, flag int, data []byte) []byte {
	to = binary.LittleEndian.AppendUint32(to, magic)
	to = binary.LittleEndian.AppendUint32(to, uint32(flag)<<29|uint32(len(data)))
	to = append(to, data...)
	return append(to, make([]byte, pad(len(data)))...)
}

// sign is the magic as it stands in a stream.
func sign() []byte { return []byte{magic & 0xff, magic >> 8 & 0xff, magic >> 16 & 0xff, magic >> 24} }

// alignedMagic is the first multiple of four at which data hold the magic, or -1.
func alignedMagic(data []byte) int {
	for from := 0; ; {
		i := bytes.Index(data[from:], sign())
		switch {
		case i < 0:
			return -1
		case (from+i)%4 == 0:
			return from + i
		}
		from += i + 1
	}
}
