package recordio

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Encode reads records in the form o.Form from r and writes them to w as RecordIO. A raw stream is one
// record, or none if it is empty. A record that is too large is a *FormatError. Encode holds the record once,
// and less than 1 MiB beside it.
//
// A record is one part, with any magic in it, which every reader takes as it is. If the joint is Magic, the
// record is in parts like those of dmlc-core.
func Encode(r io.Reader, w io.Writer, o Options) error {
	out := bufio.NewWriterSize(w, outSize)
	e := &encoder{Options: o, in: bufio.NewReaderSize(flushing{r, out}, inSize), out: out}
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
	Options
	in     *bufio.Reader
	out    *bufio.Writer
	at     int64 // the offset of the record in the stream that is read
	record record
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
	if size > uint64(e.maxRecord()) {
		return e.tooLarge(fmt.Sprint(size))
	}
	read, err := e.record.readFrom(e.in, int64(size))
	if errors.Is(err, io.EOF) {
		return e.formatError("the stream ends %d bytes before the end of a record", int64(size)-read)
	}
	if err != nil {
		return err
	}
	return e.writeRecord(len(prefix))
}

// nextLine encodes one line. The last line of the stream may lack its line end.
func (e *encoder) nextLine() error {
	for {
		data, err := e.in.ReadSlice('\n')
		if err == nil {
			data = data[:len(data)-1]
		}
		if _, err := e.record.Write(data); err != nil {
			return err
		}
		switch {
		case e.record.size > e.maxRecord():
			return e.tooLarge(fmt.Sprintf("at least %d", e.record.size))
		case err == nil:
			return e.writeRecord(1)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && e.record.size > 0:
			return e.writeRecord(0)
		default:
			return err
		}
	}
}

// wholeStream encodes the stream as one record, and returns io.EOF.
func (e *encoder) wholeStream() error {
	n, err := e.record.readFrom(e.in, e.maxRecord()+1)
	switch {
	case err == nil:
		return e.tooLarge(fmt.Sprintf("at least %d", n))
	case !errors.Is(err, io.EOF):
		return err
	case n == 0:
		return io.EOF
	}
	if err := e.writeRecord(0); err != nil {
		return err
	}
	return io.EOF
}

// writeRecord writes the record. around is the number of bytes that delimited it in the stream.
func (e *encoder) writeRecord(around int) error {
	write := func(flag int, from, to int64) error {
		if err := writeHeader(e.out, flag, to-from); err != nil {
			return err
		}
		if err := e.record.writeTo(e.out, from, to); err != nil {
			return err
		}
		return writePadding(e.out, to-from)
	}
	var err error
	if e.Joint == Magic {
		err = e.writeSplit(write)
	} else {
		err = writeParts(e.record.size, write)
	}
	e.at += e.record.size + int64(around)
	e.record.reset()
	return err
}

// writeSplit begins a new part at each magic of the record, and leaves the magic out, as dmlc-core does.
func (e *encoder) writeSplit(write func(flag int, from, to int64) error) error {
	if e.record.size > maxPart {
		return e.formatError("a record of %d bytes, dmlc-core takes at most %d\nhint: leave out --joint magic",
			e.record.size, maxPart)
	}
	flag, final, from := first, whole, int64(0)
	for {
		to := e.record.nextMagic(from)
		if to == e.record.size {
			return write(final, from, to)
		}
		if err := write(flag, from, to); err != nil {
			return err
		}
		flag, final, from = middle, last, to+4
	}
}

// tooLarge returns a *FormatError for a record that has so many bytes.
func (e *encoder) tooLarge(size string) error {
	return e.formatError("a record of %s bytes, "+tooMany, size, e.maxRecord())
}

// formatError makes a *FormatError at the offset of the record.
func (e *encoder) formatError(format string, args ...any) error {
	return &FormatError{Offset: e.at, Msg: fmt.Sprintf(format, args...)}
}
