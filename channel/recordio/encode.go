package recordio

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Encode turns records of a form into RecordIO; a raw stream is one record, unless it is empty. Of Options only the form counts.
func Encode(r io.Reader, w io.Writer, o Options) error {
	out := bufio.NewWriterSize(w, bufferSize)
	e := &encoder{in: bufio.NewReaderSize(flushing{r, out}, bufferSize), out: out}
	next := map[Form]func() error{LengthPrefixed: e.prefixed, Newline: e.line, Raw: e.all}[o.Form]
	if next == nil {
		return fmt.Errorf("no form %q", o.Form)
	}
	var err error
	for err == nil {
		err = next()
	}
	if flushErr := out.Flush(); flushErr != nil {
		return flushErr
	}
	if err == io.EOF { //nolint:errorlint // each form returns it bare, at the stream's end
		return nil
	}
	return err
}

type encoder struct {
	in     *bufio.Reader
	out    *bufio.Writer
	at     int64 // of the record in the stream that is read
	record []byte
	part   []byte // the record as RecordIO
}

func (e *encoder) prefixed() error {
	var prefix [8]byte
	n, err := io.ReadFull(e.in, prefix[:])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return e.wrong("the stream ends at byte %d, within a length", e.at+int64(n))
	}
	if err != nil {
		return err
	}
	size := binary.LittleEndian.Uint64(prefix[:])
	if size > maxPart {
		return e.wrong("a record of %d bytes, RecordIO takes at most %d", size, maxPart)
	}
	for left := int(size); left > 0; {
		data, err := e.in.Peek(min(left, bufferSize))
		if errors.Is(err, io.EOF) {
			return e.wrong("the stream ends %d bytes before the end of a record", left-len(data))
		}
		if err != nil {
			return err
		}
		e.record = append(e.record, data...)
		left -= len(data)
		_, _ = e.in.Discard(len(data)) // it was peeked at
	}
	return e.emit(len(prefix))
}

// line takes the stream's last line with or without a line end.
func (e *encoder) line() error {
	for {
		data, err := e.in.ReadSlice('\n')
		e.record = append(e.record, data...)
		switch {
		case err == nil:
			e.record = e.record[:len(e.record)-1]
			return e.emit(1)
		case len(e.record) > maxPart:
			return e.emit(0)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(e.record) > 0:
			return e.emit(0)
		default:
			return err
		}
	}
}

func (e *encoder) all() error {
	var err error
	e.record, err = io.ReadAll(io.LimitReader(e.in, maxPart+1))
	if err == nil && len(e.record) > 0 {
		err = e.emit(0)
	}
	if err == nil {
		err = io.EOF
	}
	return err
}

// emit writes the record; around is what delimited it.
func (e *encoder) emit(around int) error {
	var err error
	if e.part, err = AppendRecord(e.part[:0], e.record); err != nil {
		return e.wrong("%v", err)
	}
	e.at += int64(len(e.record) + around)
	e.record = e.record[:0]
	_, err = e.out.Write(e.part)
	return err
}

func (e *encoder) wrong(format string, args ...any) error {
	return &FormatError{Offset: e.at, Msg: fmt.Sprintf(format, args...)}
}
