package channel

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// ManifestError is a mistake in a manifest, or in an object.
type ManifestError struct{ Err error }

func (e *ManifestError) Error() string { return e.Err.Error() }
func (e *ManifestError) Unwrap() error { return e.Err }

// AugmentedManifest returns what the platform streams for an augmented manifest, a file of JSON Lines. Each
// line is a row, and has a piece for each of the named attributes, in the given order: the object for an
// attribute with a name that ends in -ref, else the value. A string is streamed as its text, any other value
// as the JSON that it is. Mistakes are *ManifestErrors, with line and column; all of them are found.
func AugmentedManifest(path string, attributes []string, places Places, compressed bool) ([][]Piece, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := manifest{path: path, places: places, compressed: compressed}
	var rows [][]Piece
	lines := bufio.NewReaderSize(f, 1<<20)
	for m.line = 1; err == nil; m.line++ {
		var line []byte
		if line, err = lines.ReadBytes('\n'); len(bytes.TrimSpace(line)) > 0 {
			rows = append(rows, m.row(line, attributes))
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return rows, m.problems.err()
}

// manifest reads a manifest.
type manifest struct {
	path       string
	line       int
	places     Places
	compressed bool
	problems   problemList
}

// fail adds a problem with the column after offset bytes of a text.
func (m *manifest) fail(text []byte, offset int64, err error) {
	before := text[:min(max(offset, 0), int64(len(text)))]
	line := m.line + bytes.Count(before, []byte("\n"))
	column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	m.problems.add(&ManifestError{Err: fmt.Errorf("%s:%d:%d: %w", m.path, line, column, err)})
}

// isJSON checks that a text is one JSON value. It adds a problem otherwise.
func (m *manifest) isJSON(text []byte) bool {
	var value json.RawMessage
	err := json.Unmarshal(text, &value)
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	switch {
	case err == nil:
		return true
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		m.fail(text, 0, errors.New("found a byte order mark, expected JSON\nhint: save it as UTF-8 without a BOM"))
	case ok && syntax.Offset >= int64(len(text)):
		m.fail(text, int64(len(bytes.TrimSpace(text))), errors.New("the JSON text ends too early"))
	case ok:
		m.fail(text, syntax.Offset-1, fmt.Errorf("found %q, which is no JSON here", text[syntax.Offset-1]))
	default:
		m.fail(text, 0, err)
	}
	return false
}

// located is a JSON value and its offset in the line.
type located struct {
	text json.RawMessage
	at   int64
}

// row returns the pieces of one line.
func (m *manifest) row(line []byte, attributes []string) []Piece {
	values, ok := m.values(line)
	if !ok {
		return nil
	}
	row := make([]Piece, 0, len(attributes))
	for _, name := range attributes {
		value, found := values[name]
		if !found {
			m.fail(line, 0, fmt.Errorf("no attribute %q", name))
			continue
		}
		piece, err := m.piece(name, value.text)
		if err != nil {
			m.fail(line, value.at, fmt.Errorf("attribute %q: %w", name, err))
		}
		row = append(row, piece)
	}
	return row
}

// values returns the attributes of a line. It is false if the line is no JSON object.
func (m *manifest) values(line []byte) (map[string]located, bool) {
	if !m.isJSON(line) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if token, _ := d.Token(); token != json.Delim('{') {
		m.fail(line, 0, errors.New("expected a JSON object"))
		return nil, false
	}
	values := map[string]located{}
	for d.More() {
		key, _ := d.Token() // there are no errors: the line is JSON
		var value json.RawMessage
		_ = d.Decode(&value)
		name, _ := key.(string)
		values[name] = located{value, d.InputOffset() - int64(len(value))}
	}
	return values, true
}

// piece returns the piece of an attribute.
func (m *manifest) piece(name string, value json.RawMessage) (Piece, error) {
	var text string
	isText := value[0] == '"' && json.Unmarshal(value, &text) == nil
	switch {
	case !strings.HasSuffix(name, "-ref") && isText:
		return Piece{Data: []byte(text)}, nil
	case !strings.HasSuffix(name, "-ref"):
		return Piece{Data: bytes.Clone(value)}, nil
	case !isText || text == "":
		return Piece{}, fmt.Errorf("found %.40s, expected the URI or the path of an object", value)
	}
	return m.object(text)
}

// object returns the piece of an object.
func (m *manifest) object(object string) (Piece, error) {
	path, err := m.places.Find(object)
	if err == nil {
		err = checkObject(path, m.compressed)
	}
	return Piece{Path: path}, err
}

// ManifestFile returns what the platform streams for a manifest of S3DataType ManifestFile: a JSON list whose
// first item is an object with the prefix, and whose other items are the rest of the objects' keys. Each
// object is a row. Mistakes are *ManifestErrors, as those of AugmentedManifest.
func ManifestFile(path string, places Places, compressed bool) ([][]Piece, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := manifest{path: path, line: 1, places: places, compressed: compressed}
	if !m.isJSON(text) {
		return nil, m.problems.err()
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if token, _ := d.Token(); token != json.Delim('[') {
		m.fail(text, 0, errors.New(`expected a list: [{"prefix": "s3://bucket/prefix/"}, "key", …]`))
		return nil, m.problems.err()
	}
	var rows [][]Piece
	var prefix string
	for n := 0; d.More(); n++ {
		var item json.RawMessage
		_ = d.Decode(&item) // there are no errors: the text is JSON
		at := d.InputOffset() - int64(len(item))
		if n == 0 {
			prefix = m.prefix(text, at, item)
			continue
		}
		piece, err := m.listed(prefix, item)
		if err != nil {
			m.fail(text, at, err)
		}
		rows = append(rows, []Piece{piece})
	}
	return rows, m.problems.err()
}

// listed returns the piece of an item of a ManifestFile.
func (m *manifest) listed(prefix string, item json.RawMessage) (Piece, error) {
	var key string
	if json.Unmarshal(item, &key) != nil || key == "" {
		return Piece{}, fmt.Errorf("found %.40s, expected the key of an object", item)
	}
	return m.object(prefix + key)
}

// prefix reads the first item of a ManifestFile.
func (m *manifest) prefix(text []byte, at int64, item json.RawMessage) string {
	var first struct {
		Prefix *string `json:"prefix"`
	}
	if json.Unmarshal(item, &first) != nil || first.Prefix == nil {
		m.fail(text, at, fmt.Errorf(`found %.40s, expected {"prefix": "s3://bucket/prefix/"}`, item))
		return ""
	}
	return *first.Prefix
}
