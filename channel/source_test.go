package channel_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"entrain/channel"
	"entrain/channel/recordio"
)

// writeFiles writes files below a new directory.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// compressed is a text as a gzip file of two members, as some writers make it.
func compressed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	for _, half := range []string{text[:len(text)/2], text[len(text)/2:]} {
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(half)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// filled is what an epoch of a source holds.
func filled(t *testing.T, s channel.Source, epoch int) string {
	t.Helper()
	var b strings.Builder
	if err := s.Fill(epoch, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// lines decodes records into lines.
func lines(t *testing.T, stream string) string {
	t.Helper()
	var b strings.Builder
	o := recordio.Options{Form: recordio.Newline}
	if err := recordio.Decode(strings.NewReader(stream), &b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func nothing(string) bool { return false }

// TestAugmentedManifestStreamsAttributesInOrder checks a manifest such as Ground Truth writes: references
// become their objects, each attribute is a record of its own, and values that are no texts stay as they are.
func TestAugmentedManifestStreamsAttributesInOrder(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"here/1.jpg": "one", "bucket/train/2.jpg": "two", "other/2.jpg": "other", "here/manifest": "",
	})
	manifest := filepath.Join(dir, "here/manifest")
	text := `{"source-ref": "1.jpg", "boxes": {"annotations": [{"class_id": 0, "top": 1.50}]}, ` +
		`"boxes-metadata": {"type": "groundtruth/object-detection"}}` + "\n\n" +
		`{"boxes":"a \"cat\"","source-ref":"s3://bucket/train/2.jpg"}` + "\r\n" +
		`{"boxes":null,"source-ref":"` + dir + `/here/1.jpg"}`
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	places := channel.Places{Base: filepath.Dir(manifest), Maps: []channel.Map{
		{Prefix: "s3://bucket/", Dir: filepath.Join(dir, "other")},
		{Prefix: "s3://bucket/train/", Dir: filepath.Join(dir, "bucket/train")},
		{Prefix: "s3://buck", Dir: "nowhere"},
	}}
	rows, err := channel.AugmentedManifest(manifest, []string{"source-ref", "boxes"}, places, false)
	if err != nil {
		t.Fatal(err)
	}
	const boxes = `{"annotations": [{"class_id": 0, "top": 1.50}]}`
	if got, want := filled(t, channel.Source{Rows: rows}, 0), "one"+boxes+`twoa "cat"`+"onenull"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	want := "one\n" + boxes + "\ntwo\na \"cat\"\none\nnull\n"
	if got := lines(t, filled(t, channel.Source{Rows: rows, Wrap: recordio.WriteRecord}, 0)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestManifestIsCheckedWhole checks that each mistake comes with its place, and all of them at once.
func TestManifestIsCheckedWhole(t *testing.T) {
	dir := writeFiles(t, map[string]string{"1.jpg": "one", "plain": "no gzip"})
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	mkfifo(t, filepath.Join(dir, "fifo"))
	path := filepath.Join(dir, "manifest")
	augmented := func(places channel.Places) error {
		_, err := channel.AugmentedManifest(path, []string{"x-ref", "class"}, places, false)
		return err
	}
	list := func(places channel.Places) error {
		_, err := channel.ManifestFile(path, places, false)
		return err
	}
	for _, c := range []struct {
		text string
		read func(channel.Places) error
		want []string
	}{
		{
			`{"x-ref": "1.jpg", "class": 0}` + "\n" + `{"x-ref": "2.jpg", "klass": 0}` + "\n" +
				`{"é": 1, "class": 0, "x-ref": "s3://bucket/a/1.jpg"}` + "\n" + `{"x-ref": 3, "class": 0}` + "\n" +
				`{"x-ref": "folder", "class": 0}` + "\n" + `{"x-ref": "fifo", "class": 0}`,
			augmented,
			[]string{
				`:2:11: attribute "x-ref": stat `, `:2:1: no attribute "class"`,
				`:3:31: attribute "x-ref": found "s3://bucket/a/1.jpg", expected a file` + "\n" +
					"hint: --map s3://bucket/=DIR, with a copy of the objects in DIR",
				`:4:11: attribute "x-ref": found 3, expected the URI or the path of an object`,
				`:5:11: attribute "x-ref": ` + dir + `/folder: a directory, expected a file`,
				`:6:11: attribute "x-ref": ` + dir + `/fifo: a FIFO, a socket or a device, expected a file`,
			},
		},
		{
			"[]\n" + `{"x-ref": "1.jpg", "class": 0} x` + "\n" + `{"x-ref": "1.jpg", "class: 0}` + "\n" +
				`{"x-ref": "1.jpg" "class": 0}` + "\n" + `{"x-ref": "1.jpg",`,
			augmented,
			[]string{
				":1:1: expected a JSON object", ":2:32: found 'x', which is no JSON here",
				":3:30: the JSON text ends too early", ":4:19: found ", ":5:19: the JSON text ends too early",
			},
		},
		{
			`[{"prefix": "s3://bucket/"}, "../up", 3,` + "\n" + ` "b"]`, list,
			[]string{
				`:1:30: found "s3://bucket/../up", which leads out of `, ":1:39: found 3, expected the key of an object",
				":2:2: stat ",
			},
		},
		{`["a", "1.jpg"]`, list, []string{`:1:2: found "a", expected {"prefix": "s3://bucket/prefix/"}`}},
		{"\xef\xbb\xbf{}", augmented, []string{":1:1: found a byte order mark, expected JSON\nhint: "}},
		{`{}`, list, []string{`:1:1: expected a list: [{"prefix":`}},
		{`[{"prefix": "s3://bucket/"}`, list, []string{":1:28: the JSON text ends too early"}},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		places := channel.Places{Base: dir}
		if strings.Contains(c.want[0], "leads out") {
			places.Maps = []channel.Map{{Prefix: "s3://bucket/", Dir: dir}}
		}
		err := c.read(places)
		if _, ok := errors.AsType[*channel.ManifestError](err); !ok {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), path+want) {
				t.Errorf("%s:\n%v\nwant %s", c.text, err, want)
			}
		}
		if got := strings.Count(err.Error(), path+":"); got != len(c.want) {
			t.Errorf("%s: %d problems, want %d\n%v", c.text, got, len(c.want), err)
		}
	}
}

// TestManyProblemsEnd checks that a source with very many problems says how many more there are.
func TestManyProblemsEnd(t *testing.T) {
	dir := writeFiles(t, map[string]string{"manifest": strings.Repeat("{}\n", 250)})
	_, err := channel.AugmentedManifest(dir+"/manifest", []string{"a"}, channel.Places{}, false)
	if err == nil || !strings.HasSuffix(err.Error(), ":100:1: no attribute \"a\"\nand 150 more problems") {
		t.Errorf("%v", err)
	}
}

// TestManifestFileStreamsKeysInOrder checks a manifest of the S3DataType ManifestFile.
func TestManifestFileStreamsKeysInOrder(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"b/1": "one", "b/2": "two",
		"manifest": `[ {"prefix": "s3://bucket/some/b/"}, "2", "1", "2" ]`,
		"relative": `[{"prefix": "b/"}, "1"]`,
	})
	places := channel.Places{Base: dir, Maps: []channel.Map{{Prefix: "s3://bucket/some", Dir: dir}}}
	for name, want := range map[string]string{"manifest": "twoonetwo", "relative": "one"} {
		rows, err := channel.ManifestFile(filepath.Join(dir, name), places, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := filled(t, channel.Source{Rows: rows}, 0); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestObjectsAreRefusedBeforeFirstByte checks what no stream can hold, and that nothing hangs.
func TestObjectsAreRefusedBeforeFirstByte(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a": "x", "sub/b": "y"})
	for name, target := range map[string]string{"link-to-dir": "sub", "link-to-nothing": "nowhere", "z": "a"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	mkfifo(t, filepath.Join(dir, "sub/fifo"))
	want := []string{
		"link-to-dir: a link to a directory, expected a file",
		"link-to-nothing: a link to nothing, expected a file",
		"sub/fifo: a FIFO, a socket or a device, expected a file",
	}
	if os.Getuid() != 0 {
		if err := os.Chmod(filepath.Join(dir, "a"), 0); err != nil {
			t.Fatal(err)
		}
		want = append(want, "a: permission denied")
	}
	_, err := channel.Objects(dir, false, nothing)
	for _, text := range want {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %s", err, text)
		}
	}
	skip := func(path string) bool {
		return strings.HasPrefix(filepath.Base(path), "link") || filepath.Base(path) == "sub"
	}
	rows, err := channel.Objects(dir, false, skip)
	if os.Getuid() == 0 && (err != nil || filled(t, channel.Source{Rows: rows}, 0) != "xx") {
		t.Errorf("%v, %v", rows, err)
	}
}

// TestGzipIsInflated checks objects that are compressed, alone and as records, and one that is not.
func TestGzipIsInflated(t *testing.T) {
	dir := writeFiles(t, map[string]string{"1.gz": compressed(t, "one two"), "2.gz": compressed(t, "")})
	rows, err := channel.Objects(dir, true, nothing)
	if err != nil {
		t.Fatal(err)
	}
	if got := filled(t, channel.Source{Rows: rows, Gzip: true}, 0); got != "one two" {
		t.Errorf("%q", got)
	}
	wrapped := channel.Source{Rows: rows, Gzip: true, Wrap: recordio.WriteRecord}
	if got := lines(t, filled(t, wrapped, 0)); got != "one two\n\n" {
		t.Errorf("%q", got)
	}
	cut := writeFiles(t, map[string]string{"cut.gz": compressed(t, "one two")[:20]})
	rows, err = channel.Objects(cut, true, nothing)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrap := range []channel.Wrap{nil, recordio.WriteRecord} {
		source := channel.Source{Rows: rows, Gzip: true, Wrap: wrap}
		err := source.Fill(0, &strings.Builder{})
		if _, ok := errors.AsType[*channel.ManifestError](err); !ok || !strings.Contains(err.Error(), "cut.gz") {
			t.Errorf("%v", err)
		}
	}
	plain := writeFiles(t, map[string]string{"a": "one"})
	_, err = channel.Objects(plain, true, nothing)
	if err == nil || !strings.Contains(err.Error(), "a gzip file") {
		t.Errorf("%v", err)
	}
}

// TestHostsShareObjects checks that all hosts together stream each object once in each epoch, that an order
// that is shuffled differs between epochs, and that the same seed gives the same order.
func TestHostsShareObjects(t *testing.T) {
	const hosts, objects = 3, 10
	var rows [][]channel.Piece
	for n := range objects {
		rows = append(rows, []channel.Piece{{Data: []byte(fmt.Sprint(n))}})
	}
	sorted := func(text string) string {
		letters := strings.Split(text, "")
		slices.Sort(letters)
		return strings.Join(letters, "")
	}
	for _, shuffle := range []bool{false, true} {
		var epochs []string
		for epoch := range 3 {
			all, sizes := "", 0
			for host := range hosts {
				s := channel.Source{Rows: rows, Hosts: hosts, Host: host, Shuffle: shuffle, Seed: 7}
				part := filled(t, s, epoch)
				if len(part) != s.Share() || part != filled(t, s, epoch) {
					t.Errorf("host %d: %q, want %d objects, always the same", host, part, s.Share())
				}
				all += part
				sizes += s.Share()
			}
			if sorted(all) != "0123456789" || sizes != objects {
				t.Errorf("all hosts together stream %q", all)
			}
			epochs = append(epochs, all)
		}
		if same := epochs[0] == epochs[1] && epochs[1] == epochs[2]; same == shuffle {
			t.Errorf("shuffle %v: %v", shuffle, epochs)
		}
	}
	if got := filled(t, channel.Source{Rows: rows, Hosts: hosts, Host: 1}, 0); got != "147" {
		t.Errorf("%q", got)
	}
}

// FuzzManifest checks that any bytes are a manifest, or have mistakes with a place.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"x-ref": "s3://bucket/1", "y": [1.50]}`+"\n"+`{"x-ref": "s3://bucket/../2", "y": ""}`), true)
	f.Add([]byte(`[{"prefix": "s3://bucket/"}, "1", "../2"]`), false)
	f.Add([]byte("{\"y\": \"\xff\\ud800\"}\r\n[]"), true)
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "1"), []byte("one"), 0o600); err != nil {
		f.Fatal(err)
	}
	places := channel.Places{Base: dir, Maps: []channel.Map{{Prefix: "s3://bucket/", Dir: dir}}}
	f.Fuzz(func(t *testing.T, text []byte, augmented bool) {
		path := filepath.Join(t.TempDir(), "manifest")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var rows [][]channel.Piece
		var err error
		if augmented {
			rows, err = channel.AugmentedManifest(path, []string{"x-ref", "y"}, places, false)
		} else {
			rows, err = channel.ManifestFile(path, places, false)
		}
		if err == nil {
			filled(t, channel.Source{Rows: rows, Wrap: recordio.WriteRecord}, 0)
			return
		}
		if _, ok := errors.AsType[*channel.ManifestError](err); !ok || !strings.HasPrefix(err.Error(), path+":") {
			t.Fatal(err)
		}
	})
}
