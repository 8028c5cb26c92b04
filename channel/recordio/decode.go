package recordio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Decode turns RecordIO into records of a form. What comes out is whole records: all that are before a *FormatError,
// and before an error of r.
func Decode(r io.Reader, w io.Writer, o Options) error {
	out := bufio.NewWriterSize(w, bufferSize)
	d := &decoder{in: bufio.NewReaderSize(flushing{r, out}, bufferSize), out: out, Options: o}
	var err error
	for err == nil {
		err = d.next()
	}
	if flushErr := out.Flush(); flushErr != nil {
		return flushErr
	}
	if err == io.EOF { //nolint:errorlint // next returns it bare, at the end of a record
		return nil
	}
	return err
}

// flushing passes on what there is before it waits for more: a trainer sees a record as soon as it is there.
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

type decoder struct {
	Options
	in     *bufio.Reader
	out    *bufio.Writer
	at     int64  // how far the stream is read
	start  int64  // of the record, where it has several parts of its first one
	open   bool   // the last part of the record is still to come
	record []byte // what is joined of it
}

// next reads one record or part; io.EOF is the stream's proper end.
func (d *decoder) next() error {
	if !d.open {
		d.start = d.at
	}
	header, err := d.in.Peek(headerSize)
	if len(header) == 0 && errors.Is(err, io.EOF) && !d.open {
		return io.EOF
	}
	if err != nil {
		return d.short(err, len(header), "a header")
	}
	if found := binary.LittleEndian.Uint32(header); found != magic {
		return d.wrong("found 0x%08x at byte %d, expected the magic 0x%08x", found, d.at, uint32(magic))
	}
	word := binary.LittleEndian.Uint32(header[4:])
	flag, size := word>>29, int(word&maxPart)
	if err := d.mind(flag); err != nil {
		return err
	}
	d.skip(headerSize)
	if flag == whole && size+pad(size) <= bufferSize {
		return d.small(size)
	}
	return d.part(flag, size)
}

// mind checks a flag against those before it.
func (d *decoder) mind(flag uint32) error {
	switch {
	case flag > last:
		return d.wrong("found flag %d at byte %d, expected 0 to 3", flag, d.at)
	case d.open && flag <= first:
		return d.wrong("found flag %d at byte %d, expected 2 or 3: the record's last part is missing", flag, d.at)
	case !d.open && flag > first:
		return d.wrong("found flag %d, expected 0 or 1: the record's first part is missing", flag)
	}
	d.open = flag == first || flag == middle
	return nil
}

// small passes a whole record on from where it was read to.
func (d *decoder) small(size int) error {
	data, err := d.in.Peek(size + pad(size))
	if err != nil {
		return d.short(err, len(data), "a record")
	}
	if err := d.zeros(data[size:]); err != nil {
		return err
	}
	err = d.emit(data[:size])
	d.skip(size + pad(size))
	return err
}

// part joins what comes in parts, or is large. No record is larger than one part can be; memory grows with what is there, not with what a header says.
func (d *decoder) part(flag uint32, size int) error {
	if flag >= middle && !d.Bare {
		d.record = append(d.record, sign()...)
	}
	if whole := len(d.record) + size; whole > maxPart {
		return d.wrong("a record of at least %d bytes, RecordIO takes at most %d", whole, maxPart)
	}
	for left := size; left > 0; {
		data, err := d.in.Peek(min(left, bufferSize))
		if err != nil {
			return d.short(err, len(data), "a record")
		}
		d.record = append(d.record, data...)
		d.skip(len(data))
		left -= len(data)
	}
	zeros, err := d.in.Peek(pad(size))
	if err != nil {
		return d.short(err, len(zeros), "a record's padding")
	}
	if err := d.zeros(zeros); err != nil {
		return err
	}
	d.skip(len(zeros))
	if d.open {
		return nil
	}
	err = d.emit(d.record)
	d.record = nil
	return err
}

func (d *decoder) skip(n int) {
	_, _ = d.in.Discard(n) // it was peeked at: it is there
	d.at += int64(n)
}

func (d *decoder) zeros(padding []byte) error {
	for _, b := range padding {
		if b != 0 {
			return d.wrong("its padding holds 0x%02x, expected zeros", b)
		}
	}
	return nil
}

func (d *decoder) emit(record []byte) error {
	if d.Form == Newline && bytes.IndexByte(record, '\n') >= 0 {
		return d.wrong("the record holds a line end, which no line can\nhint: length-prefixed takes any record")
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

func (d *decoder) wrong(format string, args ...any) error {
	return &FormatError{Offset: d.start, Msg: fmt.Sprintf(format, args...)}
}

// short is for a stream that ends within a record; another error stays what it is.
func (d *decoder) short(err error, have int, what string) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	return d.wrong("the stream ends at byte %d, within %s", d.at+int64(have), what)
}
