package recordio

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Encode reads records in the form o.Form from r and writes them to w as RecordIO. A raw stream is one
// record, or none if it is empty. Encode does not use o.Bare. A record that RecordIO cannot hold is a
// *FormatError.
func Encode(r io.Reader, w io.Writer, o Options) error {
	out := bufio.NewWriterSize(w, bufferSize)
	e := &encoder{in: bufio.NewReaderSize(flushing{r, out}, bufferSize), out: out}
	next := map[Form]func() error{
		LengthPrefixed: e.nextPrefixed, Newline: e.nextLine, Raw: e.wholeStream,
	}[o.Form]
	if next == nil {
		return fmt.Errorf("no form %q", o.Form)
	}
	return convertAll(out, next)
}

// encoder is the state of Encode.
type encoder struct {
	in     *bufio.Reader
	out    *bufio.Writer
	at     int64 // the offset of the record in the stream that is read
	record []byte
	part   []byte // the record as RecordIO
}

// nextPrefixed encodes one record that follows its length.
func (e *encoder) nextPrefixed() error {
	var prefix [8]byte
	n, err := io.ReadFull(e.in, prefix[:])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return e.formatError("the stream ends at byte %d, within a length", e.at+int64(n))
	}
	if err != nil {
		return err
	}
	size := binary.LittleEndian.Uint64(prefix[:])
	if size > maxPart {
		return e.formatError("a record of %d bytes, RecordIO takes at most %d", size, maxPart)
	}
	for left := int(size); left > 0; {
		data, err := e.in.Peek(min(left, bufferSize))
		if errors.Is(err, io.EOF) {
			return e.formatError("the stream ends %d bytes before the end of a record", left-len(data))
		}
		if err != nil {
			return err
		}
		e.record = append(e.record, data...)
		left -= len(data)
		_, _ = e.in.Discard(len(data)) // cannot fail after Peek
	}
	return e.writeRecord(len(prefix))
}

// nextLine encodes one line. The last line of the stream may lack its line end.
func (e *encoder) nextLine() error {
	for {
		data, err := e.in.ReadSlice('\n')
		e.record = append(e.record, data...)
		switch {
		case err == nil:
			e.record = e.record[:len(e.record)-1]
			return e.writeRecord(1)
		case len(e.record) > maxPart:
			return e.writeRecord(0)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(e.record) > 0:
			return e.writeRecord(0)
		default:
			return err
		}
	}
}

// wholeStream encodes the stream as one record, and returns io.EOF.
func (e *encoder) wholeStream() error {
	var err error
	e.record, err = io.ReadAll(io.LimitReader(e.in, maxPart+1))
	if err == nil && len(e.record) > 0 {
		err = e.writeRecord(0)
	}
	if err == nil {
		err = io.EOF
	}
	return err
}

// writeRecord writes the record. around is the number of bytes that delimited it in the stream.
func (e *encoder) writeRecord(around int) error {
	var err error
	if e.part, err = AppendRecord(e.part[:0], e.record); err != nil {
		return e.formatError("%v", err)
	}
	e.at += int64(len(e.record) + around)
	e.record = e.record[:0]
	_, err = e.out.Write(e.part)
	return err
}

// formatError makes a *FormatError at the offset of the record.
func (e *encoder) formatError(format string, args ...any) error {
	return &FormatError{Offset: e.at, Msg: fmt.Sprintf(format, args...)}
}
