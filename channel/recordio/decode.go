package recordio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Decode reads RecordIO from r and writes its records to w in the form o.Form. It writes only whole
// records. Before it returns a *FormatError or an error of r, it writes all records that came before the
// error.
func Decode(r io.Reader, w io.Writer, o Options) error {
	out := bufio.NewWriterSize(w, bufferSize)
	d := &decoder{in: bufio.NewReaderSize(flushing{r, out}, bufferSize), out: out, Options: o}
	return convertAll(out, d.next)
}

// convertAll calls next until it returns an error, and flushes out. The error io.EOF is the end of the
// stream.
func convertAll(out *bufio.Writer, next func() error) error {
	var err error
	for err == nil {
		err = next()
	}
	if flushErr := out.Flush(); flushErr != nil {
		return flushErr
	}
	if err == io.EOF { //nolint:errorlint // next returns it bare, and only between two records
		return nil
	}
	return err
}

// flushing is a reader that flushes out before each read, so that a trainer sees a record while the next
// one has not come yet.
type flushing struct {
	r   io.Reader
	out *bufio.Writer
}

func (f flushing) Read(p []byte) (int, error) {
	if err := f.out.Flush(); err != nil {
		return 0, err
	}
	return f.r.Read(p)
}

// decoder is the state of Decode.
type decoder struct {
	Options
	in     *bufio.Reader
	out    *bufio.Writer
	at     int64  // the number of bytes read from the stream
	start  int64  // the offset of the record, which is that of its first part
	open   bool   // the last part of the record has not come yet
	record []byte // the parts of the record so far, joined
}

// next reads one record or part. It returns io.EOF at the end of the stream.
func (d *decoder) next() error {
	if !d.open {
		d.start = d.at
	}
	header, err := d.in.Peek(headerSize)
	if len(header) == 0 && errors.Is(err, io.EOF) && !d.open {
		return io.EOF
	}
	if err != nil {
		return d.endedEarly(err, len(header), "a header")
	}
	if found := binary.LittleEndian.Uint32(header); found != magic {
		return d.formatError("found 0x%08x at byte %d, expected the magic 0x%08x", found, d.at, uint32(magic))
	}
	word := binary.LittleEndian.Uint32(header[4:])
	flag, size := word>>29, int(word&maxPart)
	if err := d.checkFlag(flag); err != nil {
		return err
	}
	d.skip(headerSize)
	if flag == whole && size+padding(size) <= bufferSize {
		return d.readSmall(size)
	}
	return d.readPart(flag, size)
}

// checkFlag checks that a part with this flag may follow the part before it.
func (d *decoder) checkFlag(flag uint32) error {
	switch {
	case flag > last:
		return d.formatError("found flag %d at byte %d, expected 0 to 3", flag, d.at)
	case d.open && flag <= first:
		const text = "found flag %d at byte %d, expected 2 or 3: the record's last part is missing"
		return d.formatError(text, flag, d.at)
	case !d.open && flag > first:
		return d.formatError("found flag %d, expected 0 or 1: the record's first part is missing", flag)
	}
	d.open = flag == first || flag == middle
	return nil
}

// readSmall passes on a whole record without a copy: all of it fits into the buffer of the reader.
func (d *decoder) readSmall(size int) error {
	data, err := d.in.Peek(size + padding(size))
	if err != nil {
		return d.endedEarly(err, len(data), "a record")
	}
	if err := d.checkPadding(data[size:]); err != nil {
		return err
	}
	err = d.writeRecord(data[:size])
	d.skip(size + padding(size))
	return err
}

// readPart adds a part to the record, and writes the record after its last part. A large record is one
// part. No record may be larger than a part can be. Memory grows with the bytes that come, not with the
// size in a header.
func (d *decoder) readPart(flag uint32, size int) error {
	if flag >= middle && !d.Bare {
		d.record = append(d.record, magicBytes()...)
	}
	if whole := len(d.record) + size; whole > maxPart {
		return d.formatError("a record of at least %d bytes, RecordIO takes at most %d", whole, maxPart)
	}
	for left := size; left > 0; {
		data, err := d.in.Peek(min(left, bufferSize))
		if err != nil {
			return d.endedEarly(err, len(data), "a record")
		}
		d.record = append(d.record, data...)
		d.skip(len(data))
		left -= len(data)
	}
	zeros, err := d.in.Peek(padding(size))
	if err != nil {
		return d.endedEarly(err, len(zeros), "a record's padding")
	}
	if err := d.checkPadding(zeros); err != nil {
		return err
	}
	d.skip(len(zeros))
	if d.open {
		return nil
	}
	err = d.writeRecord(d.record)
	d.record = nil
	return err
}

// skip moves past bytes that Peek has returned.
func (d *decoder) skip(n int) {
	_, _ = d.in.Discard(n) // cannot fail after Peek
	d.at += int64(n)
}

// checkPadding checks that the bytes after the data of a part are zeros.
func (d *decoder) checkPadding(zeros []byte) error {
	for _, b := range zeros {
		if b != 0 {
			return d.formatError("its padding holds 0x%02x, expected zeros", b)
		}
	}
	return nil
}

// writeRecord writes a record in the form of the options.
func (d *decoder) writeRecord(record []byte) error {
	if d.Form == Newline && bytes.IndexByte(record, '\n') >= 0 {
		return d.formatError("the record holds a line end, which no line can\n" +
			"hint: length-prefixed takes any record")
	}
	if d.Form == LengthPrefixed {
		if _, err := d.out.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(record)))); err != nil {
			return err
		}
	}
	_, err := d.out.Write(record)
	if err == nil && d.Form == Newline {
		err = d.out.WriteByte('\n')
	}
	return err
}

// formatError makes a *FormatError at the offset of the record.
func (d *decoder) formatError(format string, args ...any) error {
	return &FormatError{Offset: d.start, Msg: fmt.Sprintf(format, args...)}
}

// endedEarly returns a *FormatError for a stream that ends within a record. It returns any other error
// unchanged. have is the number of bytes that came after d.at, and what names the thing that they are a
// part of.
func (d *decoder) endedEarly(err error, have int, what string) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	return d.formatError("the stream ends at byte %d, within %s", d.at+int64(have), what)
}
