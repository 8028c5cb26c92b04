package recordio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// place says where the part begins, unless it is the first one of its record: each message begins with that.
func (d *decoding) place() string {
	if d.at == d.start {
		return ""
	}
	return fmt.Sprintf(" at byte %d", d.at)
}

// hintFor says what a stream is that begins like this, if that is easy to see.
func hintFor(header []byte) string {
	noText := func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r > '~' }
	switch {
	case bytes.HasPrefix(header, []byte{0x1f, 0x8b}):
		return "\nhint: this is gzip data; inflate it first"
	case !bytes.ContainsFunc(header, noText):
		return "\nhint: this is text, and RecordIO is a binary format"
	}
	return ""
}

// endedEarly returns a *FormatError for a stream that ends within a record. It returns any other error
// unchanged. have is the number of bytes that came after d.at, and what names the thing that they are a
// part of.
func (d *decoding) endedEarly(err error, have int, what string) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	if have == 0 && what == "a header" {
		return d.formatError("the stream ends at byte %d: the record's last part is missing", d.at)
	}
	return d.formatError("the stream ends at byte %d, within %s", d.at+int64(have), what)
}
