package recordio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Decoder decodes one stream after the other. What it has found out about a stream holds for the next ones,
// too. It is told only once.
type Decoder struct{ chooser chooser }

// NewDecoder makes a Decoder.
func NewDecoder(o Options) *Decoder { return &Decoder{chooser{Options: o}} }

// Decode reads RecordIO from r and writes its records to w in the form of the options. It writes only whole
// records. Before it returns a *FormatError or an error of r, it writes all records that came before the
// error. It holds the record and less than 1 MiB beside it.
func (d *Decoder) Decode(r io.Reader, w io.Writer) error {
	out := bufio.NewWriterSize(w, outSize)
	s := &decoding{in: bufio.NewReaderSize(flushing{r, out}, inSize), out: out, chooser: &d.chooser}
	return convertAll(out, s.next)
}

// Decode decodes one stream, as a Decoder does.
func Decode(r io.Reader, w io.Writer, o Options) error { return NewDecoder(o).Decode(r, w) }

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

// decoding is the state of one stream.
type decoding struct {
	*chooser
	in    *bufio.Reader
	out   *bufio.Writer
	at    int64 // the number of bytes read from the stream
	start int64 // the offset of the record, which is that of its first part
	open  bool  // the last part of the record has not come yet
	parts parts // the parts of the record so far
}

// next reads one record or part. It returns io.EOF at the end of the stream.
func (d *decoding) next() error {
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
		return d.formatError("found 0x%08x%s, expected the magic 0x%08x%s",
			found, d.place(), uint32(magic), hintFor(header))
	}
	word := binary.LittleEndian.Uint32(header[4:])
	flag, size := word>>29, int64(word&maxPart)
	if err := d.checkFlag(flag); err != nil {
		return err
	}
	d.skip(headerSize)
	if flag == whole && size+int64(padding(size)) <= inSize {
		return d.readSmall(int(size))
	}
	return d.readPart(size)
}

// checkFlag checks that a part with this flag may follow the part before it.
func (d *decoding) checkFlag(flag uint32) error {
	switch {
	case flag > last:
		return d.formatError("found flag %d%s, expected 0 to 3", flag, d.place())
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
func (d *decoding) readSmall(size int) error {
	if err := d.checkSize(int64(size)); err != nil {
		return err
	}
	data, err := d.in.Peek(size + padding(int64(size)))
	if err != nil {
		return d.endedEarly(err, len(data), "a record")
	}
	d.checkPadding(data[size:])
	record := data[:size]
	err = d.writeRecord(int64(size), func(do func([]byte) error) error { return do(record) })
	d.skip(len(data))
	return err
}

// readPart adds a part to the record, and writes the record after its last part. A large record is one
// part. Memory grows with the bytes that come, not with the size in a header.
func (d *decoding) readPart(size int64) error {
	d.parts.begin(size)
	if err := d.checkSize(d.parts.heldSize(d.surely()) + size); err != nil {
		return err
	}
	n, err := d.parts.data.readFrom(d.in, size)
	d.at += n
	if err != nil {
		return d.endedEarly(err, 0, "a record")
	}
	rest, err := d.in.Peek(padding(size))
	if err != nil {
		return d.endedEarly(err, len(rest), "a record's padding")
	}
	d.checkPadding(rest)
	d.skip(len(rest))
	if d.open {
		return nil
	}
	return d.join()
}

// surely is the joint that makes the record the smallest that it can be.
func (d *decoding) surely() Joint {
	if d.Joint == Magic {
		return Magic
	}
	return Nothing
}

// join joins the parts, and writes the record.
func (d *decoding) join() error {
	joint := Nothing
	if d.parts.count > 1 {
		joint = d.choose(&d.parts, d.start)
	}
	size := d.parts.size(joint)
	if err := d.checkSize(size); err != nil {
		return err
	}
	if joint == Magic {
		d.parts.putMagic()
	}
	err := d.writeRecord(size, func(do func([]byte) error) error { return d.parts.each(joint, do) })
	d.parts.reset()
	return err
}

// skip moves past bytes that Peek has returned.
func (d *decoding) skip(n int) {
	_, _ = d.in.Discard(n) // cannot fail after Peek
	d.at += int64(n)
}

// checkSize checks that a record is not too large.
func (d *decoding) checkSize(size int64) error {
	if size <= d.maxRecord() {
		return nil
	}
	return d.formatError("a record of at least %d bytes, "+tooMany, size, d.maxRecord())
}

// checkPadding warns if the bytes after the data of a part are not zeros. No reader uses them.
func (d *decoding) checkPadding(zeros []byte) {
	for _, b := range zeros {
		if b != 0 {
			d.tell("padding", true, d.start, "the record's padding holds 0x%02x, expected zeros", b)
			return
		}
	}
}

// writeRecord writes a record of size bytes in the form of the options. The function each calls its argument
// with the record's pieces.
func (d *decoding) writeRecord(size int64, each func(func([]byte) error) error) error {
	switch d.Form {
	case Newline:
		if err := each(d.refuseLineEnd); err != nil {
			return err
		}
	case LengthPrefixed:

		if _, err := d.out.Write(binary.LittleEndian.AppendUint64(nil, uint64(size))); err != nil {
			return err
		}
	case Raw:
	}
	err := each(func(piece []byte) error {
		_, err := d.out.Write(piece)
		return err
	})
	if err == nil && d.Form == Newline {
		err = d.out.WriteByte('\n')
	}
	return err
}

// refuseLineEnd returns a *FormatError if a piece of a record holds a line end.
func (d *decoding) refuseLineEnd(piece []byte) error {
	if bytes.IndexByte(piece, '\n') < 0 {
		return nil
	}
	return d.formatError("the record holds a line end, which no line can\n" +
		"hint: length-prefixed takes any record")
}

// formatError makes a *FormatError at the offset of the record.
func (d *decoding) formatError(format string, args ...any) error {
	return &FormatError{Offset: d.start, Msg: fmt.Sprintf(format, args...)}
}
