// Package recordio reads and writes RecordIO. This format delimits the records of a Pipe-mode channel
// that has the RecordWrapperType RecordIO. The package is pure: it takes bytes and returns bytes.
//
// The format is that of dmlc-core. A record is a header, the data, and padding up to a multiple of four
// bytes. The header has two little-endian numbers of 32 bits: the magic, and flag<<29 | length. A record may
// have several parts, and the flag says which part follows.
//
// There are two kinds of writers with parts. dmlc-core begins a new part where the data holds the magic at a
// multiple of four, and leaves the magic out. Other writers cut a record anywhere, and leave nothing out.
package recordio

import (
	"encoding/binary"
	"fmt"
	"io"
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

// Joint is what stands in a record where one of its parts ends and the next one begins.
type Joint string

// The joints.
const (
	Auto    Joint = "auto"    // Decode finds out for each record
	Magic   Joint = "magic"   // the magic, which dmlc-core leaves out
	Nothing Joint = "nothing" // nothing, as the platform's extension for TensorFlow has it
)

// Joints returns the names of all joints, the default first.
func Joints() []string { return []string{string(Auto), string(Magic), string(Nothing)} }

// DefaultMaxRecord is the largest record in bytes, unless Options say otherwise.
const DefaultMaxRecord = 512 << 20

// Options say how to convert a stream. The zero value of each field but Form is a default.
type Options struct {
	Form  Form
	Joint Joint // empty for Auto; Encode splits a record only for Magic, or if one part cannot hold it
	// Doubtful is the joint for Auto where a record does not show its writer. Empty means Nothing.
	Doubtful  Joint
	MaxRecord int64        // the largest record in bytes; 0 for DefaultMaxRecord
	Tell      func(Notice) // gets what the user should know; each kind of notice comes once. It may be nil.
}

// Notice says something of a stream that is no error.
type Notice struct {
	Warning bool // the data may be wrong
	Msg     string
}

// tooMany ends the message about a record that is too large.
const tooMany = "expected at most %d\nhint: --max-record raises this limit"

// maxRecord is the largest record in bytes.
func (o *Options) maxRecord() int64 {
	if o.MaxRecord == 0 {
		return DefaultMaxRecord
	}
	return o.MaxRecord
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
)

// The buffers. Together with the unused rest of a chunk they are smaller than 1 MiB.
const (
	inSize  = 512 << 10 // bytes
	outSize = 256 << 10 // bytes
)

// padding is the number of bytes after size bytes of data.
func padding(size int64) int { return int(-size & 3) }

// magicBytes returns the magic as it stands in a stream.
func magicBytes() []byte { return binary.LittleEndian.AppendUint32(nil, magic) }

// WriteRecord writes size bytes of r as one record, and holds none of them. The record has one part, unless
// it is too large for that: then its parts are joined by nothing. A magic in the data stays there, since
// every reader takes a whole part as it is. If r has less than size bytes, the error is
// io.ErrUnexpectedEOF.
func WriteRecord(w io.Writer, r io.Reader, size int64) error {
	return writeParts(size, func(flag int, from, to int64) error {
		if err := writeHeader(w, flag, to-from); err != nil {
			return err
		}
		if _, err := io.CopyN(w, r, to-from); err == io.EOF { //nolint:errorlint // CopyN returns it bare
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
		return writePadding(w, to-from)
	})
}

// writeParts calls write for each part of a record of size bytes, with the offsets of its data. The parts
// before the last one have a length that is no multiple of four. That shows that dmlc-core has not written
// them.
func writeParts(size int64, write func(flag int, from, to int64) error) error {
	if size <= maxPart {
		return write(whole, 0, size)
	}
	for from := int64(0); from < size; from += maxPart {
		flag := middle
		switch {
		case from == 0:
			flag = first
		case size-from <= maxPart:
			flag = last
		}
		if err := write(flag, from, min(from+maxPart, size)); err != nil {
			return err
		}
	}
	return nil
}

// writeHeader writes the header of a part with size bytes of data.
func writeHeader(w io.Writer, flag int, size int64) error {
	header := binary.LittleEndian.AppendUint32(make([]byte, 0, headerSize), magic)
	header = binary.LittleEndian.AppendUint32(header, uint32(flag)<<29|uint32(size))
	_, err := w.Write(header)
	return err
}

// writePadding writes the zeros after size bytes of data.
func writePadding(w io.Writer, size int64) error {
	_, err := w.Write(make([]byte, padding(size)))
	return err
}
