package recordio_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"entrain/channel/recordio"
)

const sign = "\x0a\x23\xd7\xce"

// part builds one part of a record from the description of the format, without the package under test.
func part(flag uint32, data string) string {
	header := binary.LittleEndian.AppendUint32([]byte(sign), flag<<29|uint32(len(data)))
	return string(header) + data + strings.Repeat("\x00", (4-len(data)%4)%4)
}

// prefixed builds a stream in the form LengthPrefixed.
func prefixed(records ...string) string {
	var b []byte
	for _, r := range records {
		b = append(binary.LittleEndian.AppendUint64(b, uint64(len(r))), r...)
	}
	return string(b)
}

// decode decodes a stream at once, and checks that it gives the same byte by byte.
func decode(t *testing.T, stream string, o recordio.Options) (string, error) {
	t.Helper()
	var out, slow strings.Builder
	err := recordio.Decode(strings.NewReader(stream), &out, o)
	slowErr := recordio.Decode(iotest.OneByteReader(strings.NewReader(stream)), &slow, o)
	if slow.String() != out.String() || (slowErr == nil) != (err == nil) {
		t.Errorf("byte by byte: %d bytes, %v; at once: %d bytes, %v", slow.Len(), slowErr, out.Len(), err)
	}
	return out.String(), err
}

// TestDecodeWritesRecordsInEachForm checks whole records, records in parts, and large ones.
func TestDecodeWritesRecordsInEachForm(t *testing.T) {
	large := strings.Repeat("0123456789", 250_001) // larger than any buffer
	for _, c := range []struct {
		what, stream string
		o            recordio.Options
		want         string
	}{
		{"nothing", "", recordio.Options{Form: recordio.LengthPrefixed}, ""},
		{
			"whole records", part(0, "a") + part(0, "") + part(0, "four"),
			recordio.Options{Form: recordio.LengthPrefixed},
			prefixed("a", "", "four"),
		},
		{
			"lines", part(0, "a") + part(0, "") + part(0, "b\r"),
			recordio.Options{Form: recordio.Newline},
			"a\n\nb\r\n",
		},
		{"raw", part(0, "a\n") + part(0, "b"), recordio.Options{Form: recordio.Raw}, "a\nb"},
		{
			"parts", part(1, "abcd") + part(2, "") + part(3, "e") + part(0, "f"),
			recordio.Options{Form: recordio.LengthPrefixed},
			prefixed("abcd"+sign+sign+"e", "f"),
		},
		{
			"bare parts", part(1, "ab") + part(3, "c"),
			recordio.Options{Form: recordio.LengthPrefixed, Joint: recordio.Nothing},
			prefixed("abc"),
		},
		{"large", part(0, large) + part(0, "x"), recordio.Options{Form: recordio.Newline}, large + "\nx\n"},
		{
			"large parts", part(1, large[:4]) + part(3, large),
			recordio.Options{Form: recordio.Raw, Joint: recordio.Nothing},
			large[:4] + large,
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			got, err := decode(t, c.stream, c.o)
			if err != nil || got != c.want {
				t.Errorf("%v, got %.100q, want %.100q", err, got, c.want)
			}
		})
	}
}

// TestDecodeSaysWhereStreamIsBroken also checks that the records before the error come out.
func TestDecodeSaysWhereStreamIsBroken(t *testing.T) {
	good := part(0, "good") // 12 bytes
	for _, c := range []struct {
		what, stream, form, want string
	}{
		{
			"magic", good + "\x0a\x23\xd7\xcf" + part(0, "x")[4:], "",
			"byte 12: found 0xcfd7230a, expected the magic 0xced7230a",
		},
		{
			"text", good + "a text\nof two lines", "",
			"byte 12: found 0x65742061, expected the magic 0xced7230a\n" +
				"hint: this is text, and RecordIO is a binary format",
		},
		{
			"gzip", good + "\x1f\x8b\x08\x00\x00\x00\x00\x00", "",
			"byte 12: found 0x00088b1f, expected the magic 0xced7230a\n" +
				"hint: this is gzip data; inflate it first",
		},
		{"cut header", good + sign + "\x01", "", "byte 12: the stream ends at byte 17, within a header"},
		{"cut data", good + part(0, "abcdefg")[:13], "", "byte 12: the stream ends at byte 25, within a record"},
		{"cut padding", good + part(0, "abcde")[:14], "", "byte 12: the stream ends at byte 26, within a record"},
		{
			"no first part", good + part(2, "a"), "",
			"byte 12: found flag 2, expected 0 or 1: the record's first part is missing",
		},
		{
			"no last part", good + part(1, "a"), "",
			"byte 12: the stream ends at byte 24: the record's last part is missing",
		},
		{
			"another first part", good + part(1, "a") + part(1, "b"), "",
			"byte 12: found flag 1 at byte 24, expected 2 or 3: the record's last part is missing",
		},
		{
			"a whole record between parts", good + part(1, "a") + part(0, "b"), "",
			"byte 12: found flag 0 at byte 24, expected 2 or 3: the record's last part is missing",
		},
		{"flag", good + part(5, "a"), "", "byte 12: found flag 5, expected 0 to 3"},
		{
			"a length beyond the end of the stream", good + sign + "\xff\xff\xff\x1f" + "abc", "",
			"byte 12: the stream ends at byte 23, within a record",
		},
		{
			"parts that are too long together", good + part(1, "abc") + sign + "\xff\xff\xff\x7f", "",
			"byte 12: a record of at least 536870914 bytes, expected at most 536870912\n" +
				"hint: --max-record raises this limit",
		},
		{
			"a line end", good + part(0, "a\nb"), "newline",
			"byte 12: the record holds a line end, which no line can\nhint: length-prefixed takes any record",
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			o, before := recordio.Options{Form: recordio.LengthPrefixed}, prefixed("good")
			if c.form != "" {
				o.Form, before = recordio.Newline, "good\n"
			}
			got, err := decode(t, c.stream, o)
			if format, ok := errors.AsType[*recordio.FormatError](err); !ok || format.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
			if got != before {
				t.Errorf("before the error came %q, want %q", got, before)
			}
		})
	}
}

// TestDecodeDoesNotWaitForNextRecord checks that a record comes out while the next one has not come.
func TestDecodeDoesNotWaitForNextRecord(t *testing.T) {
	in, feed := io.Pipe()
	out, drain := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- recordio.Decode(in, drain, recordio.Options{Form: recordio.Newline}) }()
	if _, err := io.WriteString(feed, part(0, "one")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(out, got); err != nil || string(got) != "one\n" {
		t.Errorf("%q, %v", got, err)
	}
	feed.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestErrorsOfReaderAndWriterComeBack checks Decode and Encode in each form.
func TestErrorsOfReaderAndWriterComeBack(t *testing.T) {
	broken := errors.New("broken")
	stream := part(0, "a")
	for _, form := range recordio.Forms() {
		o := recordio.Options{Form: recordio.Form(form)}
		var out strings.Builder
		err := recordio.Decode(io.MultiReader(strings.NewReader(stream), iotest.ErrReader(broken)), &out, o)
		if !errors.Is(err, broken) || out.Len() == 0 {
			t.Errorf("%s: %v after %q", form, err, out.String())
		}
		if err := recordio.Encode(iotest.ErrReader(broken), io.Discard, o); !errors.Is(err, broken) {
			t.Errorf("%s: %v", form, err)
		}
		r, w := io.Pipe()
		r.CloseWithError(broken)
		if err := recordio.Decode(strings.NewReader(stream), w, o); !errors.Is(err, broken) {
			t.Errorf("%s: %v", form, err)
		}
		if err := recordio.Encode(strings.NewReader(prefixed("a")), w, o); !errors.Is(err, broken) {
			t.Errorf("%s: %v", form, err)
		}
	}
}

// TestEncodeWritesRecordsOfEachForm also checks the errors for streams that break their form.
func TestEncodeWritesRecordsOfEachForm(t *testing.T) {
	for _, c := range []struct {
		form         recordio.Form
		stream, want string
	}{
		{recordio.LengthPrefixed, prefixed("a", "", "four"), part(0, "a") + part(0, "") + part(0, "four")},
		{recordio.Newline, "a\n\nb", part(0, "a") + part(0, "") + part(0, "b")},
		{recordio.Newline, "a\n", part(0, "a")},
		{recordio.Raw, "a\nb", part(0, "a\nb")},
		{recordio.Raw, "", ""},
		{recordio.Raw, "abcd" + sign + "efgh" + sign + "i", part(0, "abcd"+sign+"efgh"+sign+"i")},
	} {
		var out strings.Builder
		err := recordio.Encode(strings.NewReader(c.stream), &out, recordio.Options{Form: c.form})
		if err != nil || out.String() != c.want {
			t.Errorf("%s of %q: %v, got %q, want %q", c.form, c.stream, err, out.String(), c.want)
		}
	}
	const tooLong = "\x00\x00\x00\x00\x00\x00\x00\x01"
	for stream, want := range map[string]string{
		prefixed("a") + "\x01\x02": "byte 9: the stream ends at byte 11, within a length",
		prefixed("a", "bcd")[:19]:  "byte 9: the stream ends 1 bytes before the end of a record",
		tooLong: "byte 0: a record of 72057594037927936 bytes, expected at most 536870912\n" +
			"hint: --max-record raises this limit",
	} {
		o := recordio.Options{Form: recordio.LengthPrefixed}
		if err := recordio.Encode(strings.NewReader(stream), io.Discard, o); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// FuzzDecode checks that any bytes give records or a *FormatError, the same if they come byte by byte,
// and that the decoded records survive Encode and Decode whatever joins them.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(part(0, "a")+part(1, "bcde")+part(3, "f")), uint8(0))
	f.Add([]byte(part(2, "a")), uint8(1))
	f.Add([]byte(part(1, "")+part(2, "abc")+part(3, sign)), uint8(2))
	f.Fuzz(func(t *testing.T, stream []byte, joint uint8) {
		o := recordio.Options{Form: recordio.LengthPrefixed, Joint: recordio.Joint(recordio.Joints()[joint%3])}
		got, err := decode(t, string(stream), o)
		if _, ok := errors.AsType[*recordio.FormatError](err); err != nil && !ok {
			t.Fatal(err)
		}
		var encoded, again bytes.Buffer
		if err := recordio.Encode(strings.NewReader(got), &encoded, o); err != nil {
			t.Fatal(err)
		}
		if err := recordio.Decode(&encoded, &again, o); o.Joint == recordio.Auto && again.String() != got {
			t.Fatalf("%v: %q became %q", err, got, again.String())
		}
	})
}

// FuzzEncode checks that any bytes in any form give RecordIO or a *FormatError, and that decoding with the
// same joint gives the same records.
func FuzzEncode(f *testing.F) {
	f.Add([]byte("a\nb"+sign), uint8(1), uint8(0))
	f.Add([]byte(prefixed("abc")), uint8(0), uint8(2))
	f.Add([]byte(sign+sign+"a"+sign), uint8(2), uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, form, joint uint8) {
		o := recordio.Options{
			Form: recordio.Form(recordio.Forms()[form%3]), Joint: recordio.Joint(recordio.Joints()[joint%3]),
		}
		var encoded, again bytes.Buffer
		err := recordio.Encode(bytes.NewReader(stream), &encoded, o)
		if _, ok := errors.AsType[*recordio.FormatError](err); err != nil && !ok {
			t.Fatal(err)
		}
		if decodeErr := recordio.Decode(&encoded, &again, o); decodeErr != nil {
			t.Fatal(decodeErr)
		}
		want, got := bytes.TrimSuffix(stream, []byte("\n")), bytes.TrimSuffix(again.Bytes(), []byte("\n"))
		if err == nil && !bytes.Equal(want, got) {
			t.Fatalf("%q became %q", stream, again.Bytes())
		}
	})
}

// repeated is a stream without end that repeats one record.
type repeated struct {
	record []byte
	at     int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.record[r.at:])
	r.at = (r.at + n) % len(r.record)
	return n, nil
}

func BenchmarkDecode(b *testing.B) {
	for _, form := range recordio.Forms() {
		b.Run(form, func(b *testing.B) {
			const size = 64 << 10
			b.SetBytes(size)
			record := []byte(part(0, strings.Repeat("x", size)))
			stream := io.LimitReader(&repeated{record: record}, int64(b.N)*(size+8))
			if err := recordio.Decode(stream, io.Discard, recordio.Options{Form: recordio.Form(form)}); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	const size = 64 << 10
	b.SetBytes(size)
	stream := io.LimitReader(&repeated{record: []byte(prefixed(strings.Repeat("x", size)))}, int64(b.N)*(size+8))
	if err := recordio.Encode(stream, io.Discard, recordio.Options{Form: recordio.LengthPrefixed}); err != nil {
		b.Fatal(err)
	}
}
