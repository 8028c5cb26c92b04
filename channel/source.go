package channel

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Wrap writes size bytes of r as a record, with the bytes that delimit the record. If r has less bytes, the
// error is io.ErrUnexpectedEOF.
type Wrap func(w io.Writer, r io.Reader, size int64) error

// Directory returns a function that writes what the platform streams for the objects under a prefix:
// their bytes in the order of their keys. If wrap is not nil, each object is one record.
func Directory(dir string, wrap Wrap) func(io.Writer) error {
	return func(w io.Writer) error {
		keys, err := keys(dir)
		for _, key := range keys {
			if err == nil {
				err = writeObject(w, filepath.Join(dir, key), wrap)
			}
		}
		return err
	}
}

// keys returns the files below a directory in the order of S3, which sorts by the bytes of the whole path.
func keys(dir string) ([]string, error) {
	var keys []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		key, err := filepath.Rel(dir, path)
		keys = append(keys, key)
		return err
	})
	slices.Sort(keys)
	return keys, err
}

// writeObject writes the bytes of a file, as a record if wrap is not nil.
func writeObject(w io.Writer, path string, wrap Wrap) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if wrap != nil {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if err := wrap(w, onlyReader{f}, info.Size()); errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("%s: it has become shorter than %d bytes", path, info.Size())
		} else if err != nil {
			return err
		}
		return nil
	}
	_, err = io.CopyBuffer(w, onlyReader{f}, make([]byte, PipeSize))
	return err
}

// onlyReader hides the method WriteTo of an os.File, so that io.CopyBuffer uses its buffer.
type onlyReader struct{ io.Reader }

// writeRecord writes a record, with the bytes that delimit it if wrap is not nil.
func writeRecord(w io.Writer, record []byte, wrap Wrap) error {
	if wrap != nil {
		return wrap(w, bytes.NewReader(record), int64(len(record)))
	}
	_, err := w.Write(record)
	return err
}

// ManifestError is a mistake in an augmented manifest.
type ManifestError struct{ Err error }

func (e *ManifestError) Error() string { return e.Err.Error() }
func (e *ManifestError) Unwrap() error { return e.Err }

// Manifest returns a function that writes what the platform streams for an augmented manifest, a file of
// JSON Lines. For each line it writes the named attributes in the given order. For an attribute with a
// name that ends in -ref it writes the bytes of the object. Here an object is a file, and its path is
// relative to the manifest. If wrap is not nil, each attribute is one record. A mistake in the manifest
// is a *ManifestError.
func Manifest(path string, attributes []string, wrap Wrap) func(io.Writer) error {
	return func(w io.Writer) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		lines := bufio.NewReader(f)
		for n := 1; err == nil; n++ {
			var line []byte
			if line, err = lines.ReadBytes('\n'); len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			if lineErr := writeLine(w, path, line, attributes, wrap); lineErr != nil {
				return fmt.Errorf("%s:%d: %w", path, n, lineErr)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
}

// writeLine writes the attributes of one line.
func writeLine(w io.Writer, path string, line []byte, attributes []string, wrap Wrap) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(line, &values); err != nil {
		return &ManifestError{Err: err}
	}
	for _, name := range attributes {
		value, ok := values[name]
		if !ok {
			return &ManifestError{Err: fmt.Errorf("no attribute %q", name)}
		}
		var text string
		if value[0] == '"' && json.Unmarshal(value, &text) == nil {
			value = []byte(text) // a string is streamed as its text, any other value as JSON
		}
		if err := writeAttribute(w, filepath.Dir(path), name, value, wrap); err != nil {
			return fmt.Errorf("attribute %q: %w", name, err)
		}
	}
	return nil
}

// writeAttribute writes the value of one attribute, or the object that it refers to.
func writeAttribute(w io.Writer, dir, name string, value []byte, wrap Wrap) error {
	object := string(value)
	switch {
	case !strings.HasSuffix(name, "-ref"):
		return writeRecord(w, value, wrap)
	case strings.Contains(object, "://"):
		err := fmt.Errorf("found %q, expected a file\nhint: copy the object, and give its path", object)
		return &ManifestError{Err: err}
	case !filepath.IsAbs(object):
		object = filepath.Join(dir, object)
	}
	err := writeObject(w, object, wrap)
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return &ManifestError{Err: err}
	}
	return err
}
