package recordio_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/channel/recordio"
)

// dmlc builds a record as dmlc-core's RecordIOWriter does: it leaves out each magic at a multiple of four.
func dmlc(data string) string {
	var pieces []string
	from := 0
	for i := 0; i+4 <= len(data); i += 4 {
		if data[i:i+4] == sign {
			pieces = append(pieces, data[from:i])
			from = i + 4
		}
	}
	return inParts(append(pieces, data[from:])...)
}

// inParts builds a record of these parts.
func inParts(pieces ...string) string {
	if len(pieces) == 1 {
		return part(0, pieces[0])
	}
	var b strings.Builder
	for i, piece := range pieces {
		flag := uint32(2)
		switch i {
		case 0:
			flag = 1
		case len(pieces) - 1:
			flag = 3
		}
		b.WriteString(part(flag, piece))
	}
	return b.String()
}

// TestJointOfEachWriter checks what Decode takes for the joint, and what it tells of it.
func TestJointOfEachWriter(t *testing.T) {
	const doubt = "warning: byte 0: the record is in parts, which dmlc-core or another writer may have made; " +
		"they are joined by %s\nhint: --joint magic for data that dmlc-core wrote (MXNet, XGBoost), " +
		"--joint nothing for any other writer"
	const cut = "byte 0: the record is in parts, which are joined by nothing: " +
		"one of them has 3 bytes, so dmlc-core has not written it"
	const leftOut = "byte 0: the record is in parts, which are joined by the magic: " +
		"one of them is empty, so dmlc-core has left out the magic there"
	for _, c := range []struct {
		what, stream    string
		joint, doubtful recordio.Joint
		want            string
		told            []string
	}{
		{"whole records", part(0, "abcd"+sign) + part(0, sign), "", "", prefixed("abcd"+sign, sign), nil},
		{"cut anywhere", inParts("abc", "defgh", "i"), "", "", prefixed("abcdefghi"), []string{cut}},
		{"cut anywhere, the user says so", inParts("abc", "d"), recordio.Nothing, "", prefixed("abcd"), nil},
		{"of dmlc-core, at the start", dmlc(sign + "abcd"), "", "", prefixed(sign + "abcd"), []string{leftOut}},
		{"of dmlc-core, twice", dmlc("abcd" + sign + sign), "", "", prefixed("abcd" + sign + sign), []string{
			"byte 0: the record is in parts, which are joined by the magic: " +
				"one of them is empty, so dmlc-core has left out the magic there",
		}},
		{"an empty last part is no sign", inParts("abcd", ""), "", "", prefixed("abcd"), []string{
			fmt.Sprintf(doubt, "nothing"),
		}},
		{"in doubt", inParts("abcd", "ef") + inParts("ghij", "kl"), "", "", prefixed("abcdef", "ghijkl"), []string{
			fmt.Sprintf(doubt, "nothing"),
		}},
		{
			"in doubt, of a user's file", inParts("abcd", "ef"), "", recordio.Magic, prefixed("abcd" + sign + "ef"),
			[]string{fmt.Sprintf(doubt, "the magic")},
		},
		{"in doubt, the user says which", dmlc("abcd" + sign), recordio.Magic, "", prefixed("abcd" + sign), nil},
		{
			"the first record shows it to the others", inParts("abc", "d") + inParts("abcd", "e"), "", recordio.Magic,
			prefixed("abcd", "abcde"),
			[]string{cut},
		},
		{
			"the first record shows it to the others, of dmlc-core",
			dmlc(sign+"a") + part(0, "b") + dmlc("abcd"+sign+"e"), "", "",
			prefixed(sign+"a", "b", "abcd"+sign+"e"),
			[]string{leftOut},
		},
		{
			"the guess was wrong", inParts("abcd", "e") + dmlc(sign), "", "", prefixed("abcde", sign), []string{
				fmt.Sprintf(doubt, "nothing"),
				"byte 24: the record is in parts, which are joined by the magic: " +
					"one of them is empty, so dmlc-core has left out the magic there",
				"warning: byte 24: the parts of this record are joined by the magic, but earlier ones by nothing\n" +
					"hint: --joint magic, if one writer made all of them",
			},
		},
		{
			"two writers", inParts("abc", "d") + dmlc(sign), "", "", prefixed("abcd", sign), []string{
				cut,
				"warning: byte 24: the parts of this record are joined by the magic, but earlier ones by nothing: " +
					"the stream has two writers",
			},
		},
		{
			"the user is wrong", inParts("abc", "d") + inParts("efg", "h"), recordio.Magic, "",
			prefixed("abc"+sign+"d", "efg"+sign+"h"),
			[]string{
				"warning: byte 0: a part before the last one has 3 bytes, so dmlc-core has not written it; " +
					"--joint magic puts the magic behind it all the same",
			},
		},
		{
			"padding", part(0, "abc")[:11] + "x" + part(1, "d")[:9] + "xyz" + part(3, "e"), "", "",
			prefixed("abc", "de"),
			[]string{
				"warning: byte 0: the record's padding holds 0x78, expected zeros",
				"byte 12: the record is in parts, which are joined by nothing: " +
					"one of them has 1 bytes, so dmlc-core has not written it",
			},
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			var told []string
			o := recordio.Options{
				Form: recordio.LengthPrefixed, Joint: c.joint, Doubtful: c.doubtful,
				Tell: func(n recordio.Notice) {
					if n.Warning {
						n.Msg = "warning: " + n.Msg
					}
					told = append(told, n.Msg)
				},
			}
			var out strings.Builder
			if err := recordio.Decode(strings.NewReader(c.stream), &out, o); err != nil || out.String() != c.want {
				t.Errorf("%v, got %q, want %q", err, out.String(), c.want)
			}
			if diff := cmp.Diff(c.told, told); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDecoderRemembersWriter checks that an epoch that shows its writer decides for the next one.
func TestDecoderRemembersWriter(t *testing.T) {
	told := 0
	d := recordio.NewDecoder(recordio.Options{Form: recordio.Raw, Tell: func(recordio.Notice) { told++ }})
	for _, record := range []string{sign, sign, "abcd" + sign} {
		var out strings.Builder
		if err := d.Decode(strings.NewReader(dmlc(record)), &out); err != nil || out.String() != record {
			t.Errorf("%v, %q, want %q", err, out.String(), record)
		}
	}
	if told != 1 {
		t.Errorf("told %d times, want once", told)
	}
}

// TestPartsAtAnyPlaceOfChunk checks records that are larger than the chunks that hold them, with parts that
// end at any place of a chunk.
func TestPartsAtAnyPlaceOfChunk(t *testing.T) {
	const chunk = 128 << 10
	text := strings.Repeat("0123456789abcde\n", 5*chunk/16)
	for _, cut := range []int{0, 4, chunk - 8, chunk - 4, chunk, chunk + 4, 2*chunk - 4, 4 * chunk} {
		want := text[:cut] + sign + sign + text[cut:]
		stream := dmlc(want)
		if got, err := decode(t, stream, recordio.Options{Form: recordio.Raw}); err != nil || got != want {
			t.Errorf("magic at %d: %v, %d bytes, want %d", cut, err, len(got), len(want))
		}
		var encoded bytes.Buffer
		o := recordio.Options{Form: recordio.Raw, Joint: recordio.Magic}
		if err := recordio.Encode(strings.NewReader(want), &encoded, o); err != nil || encoded.String() != stream {
			t.Errorf("magic at %d: %v, %d bytes, dmlc-core writes %d", cut, err, encoded.Len(), len(stream))
		}
		for _, odd := range []int{1, 2, 3} {
			stream := inParts(text[:cut+odd], text[cut+odd:cut+odd+5], text[cut+odd+5:])
			if got, err := decode(t, stream, recordio.Options{Form: recordio.Raw}); err != nil || got != text {
				t.Errorf("cut at %d: %v, %d bytes, want %d", cut+odd, err, len(got), len(text))
			}
		}
	}
}

// TestLimitOfRecord checks that the limit is the user's, for both directions.
func TestLimitOfRecord(t *testing.T) {
	const hint = "\nhint: --max-record raises this limit"
	const tooLarge = "byte 0: a record of at least 9 bytes, expected at most 8" + hint
	o := recordio.Options{Form: recordio.Raw, MaxRecord: 8}
	for stream, want := range map[string]string{
		part(0, "12345678"):      "",
		inParts("123", "45678"):  "",
		part(0, "123456789"):     tooLarge,
		inParts("123", "456789"): tooLarge,
		inParts("", "56789"):     tooLarge,
		strings.Repeat(part(0, "1"), 3) + part(1, ""): "byte 36: the stream ends at byte 44: " +
			"the record's last part is missing",
	} {
		if err := recordio.Decode(strings.NewReader(stream), io.Discard, o); textOf(err) != want {
			t.Errorf("decode %q: %v, want %s", stream, err, want)
		}
	}
	for _, c := range []struct {
		form         recordio.Form
		stream, want string
	}{
		{recordio.Raw, "12345678", ""},
		{recordio.Newline, "12345678\n", ""},
		{recordio.LengthPrefixed, prefixed("12345678"), ""},
		{recordio.Raw, "123456789", "byte 0: a record of at least 9 bytes, expected at most 8" + hint},
		{recordio.Newline, "\n123456789\n", "byte 1: a record of at least 9 bytes, expected at most 8" + hint},
		{recordio.LengthPrefixed, prefixed("123456789"), "byte 0: a record of 9 bytes, expected at most 8" + hint},
	} {
		o.Form = c.form
		err := recordio.Encode(strings.NewReader(c.stream), io.Discard, o)
		if textOf(err) != c.want {
			t.Errorf("encode %q: %v, want %s", c.stream, err, c.want)
		}
	}
}

// textOf is the text of an error, empty for none.
func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestEndlessEmptyPartsHaveLimit checks that parts without a byte cannot take all memory.
func TestEndlessEmptyPartsHaveLimit(t *testing.T) {
	for _, joint := range recordio.Joints() {
		stream := io.MultiReader(strings.NewReader(part(1, "")), &repeated{record: []byte(part(2, ""))})
		o := recordio.Options{Form: recordio.Raw, Joint: recordio.Joint(joint), MaxRecord: 1 << 20}
		err := recordio.Decode(stream, io.Discard, o)
		if err == nil || !strings.Contains(err.Error(), "--max-record") {
			t.Errorf("%s: %v", joint, err)
		}
	}
}

// zeros is a stream of zeros without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// counter counts the bytes that come, and remembers the most memory that it has seen.
type counter struct {
	n, look int64
	heap    uint64
}

func (c *counter) Write(p []byte) (int, error) {
	if c.n += int64(len(p)); c.n > c.look {
		c.look = c.n + 16<<20
		c.heap = max(c.heap, heap())
	}
	return len(p), nil
}

// heap is the memory in bytes that the process has got from the system for its heap.
func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapSys - m.HeapReleased
}

// TestMemoryIsThatOfOneRecord checks the memory that both directions take beside the record.
func TestMemoryIsThatOfOneRecord(t *testing.T) {
	const size = 96 << 20
	header := func(flag, size uint32) string {
		return sign + string(binary.LittleEndian.AppendUint32(nil, flag<<29|size))
	}
	data := func(n int64) io.Reader { return io.LimitReader(zeros{}, n) }
	large := func() io.Reader { return io.MultiReader(strings.NewReader(header(0, size)), data(size)) }
	split := func() io.Reader {
		return io.MultiReader(strings.NewReader(header(1, size/2)), data(size/2),
			strings.NewReader(header(3, size/2)), data(size/2))
	}
	length := func() io.Reader {
		return io.MultiReader(strings.NewReader(string(binary.LittleEndian.AppendUint64(nil, size))), data(size))
	}
	decode := func(r io.Reader, w io.Writer) error {
		return recordio.Decode(r, w, recordio.Options{Form: recordio.LengthPrefixed})
	}
	encode := func(form recordio.Form) func(io.Reader, io.Writer) error {
		return func(r io.Reader, w io.Writer) error { return recordio.Encode(r, w, recordio.Options{Form: form}) }
	}
	for _, c := range []struct {
		what    string
		stream  func() io.Reader
		convert func(io.Reader, io.Writer) error
		record  uint64 // what may be held
	}{
		{"decode", large, decode, size},
		{"decode two records", func() io.Reader { return io.MultiReader(large(), large()) }, decode, size},
		{"decode parts", split, decode, size},
		{"encode a length", length, encode(recordio.LengthPrefixed), size},
		{"encode a stream", func() io.Reader { return data(size) }, encode(recordio.Raw), size},
		{"wrap a file", func() io.Reader { return data(size) }, func(r io.Reader, w io.Writer) error {
			return recordio.WriteRecord(w, r, size)
		}, 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			runtime.GC()
			debug.FreeOSMemory()
			before := heap()
			var out counter
			if err := c.convert(c.stream(), &out); err != nil {
				t.Fatal(err)
			}
			const beside, collector = 1 << 20, 3 << 20 // the heap comes in arenas of 4 MiB
			if more := int64(out.heap - before); more > int64(c.record)+beside+collector {
				t.Errorf("%d MiB for a record of %d MiB", more>>20, c.record>>20)
			}
			if out.n < size {
				t.Errorf("%d bytes came", out.n)
			}
		})
	}
}
