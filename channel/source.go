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

// Wrap appends a record to a stream, with what delimits it.
type Wrap func(to, record []byte) ([]byte, error)

// Directory gives what the platform makes of the objects under a prefix: their bytes in the order of their keys, each one
// wrapped if wrap is not nil.
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

// keys are the files below a directory in the order of S3, that of the bytes of the whole path.
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

func writeObject(w io.Writer, path string, wrap Wrap) error {
	if wrap != nil {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return writeRecord(w, data, wrap)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyBuffer(w, onlyReader{f}, make([]byte, pipeSize))
	return err
}

// onlyReader hides the ways that an os.File copies by itself.
type onlyReader struct{ io.Reader }

func writeRecord(w io.Writer, record []byte, wrap Wrap) error {
	if wrap != nil {
		var err error
		if record, err = wrap(nil, record); err != nil {
			return err
		}
	}
	_, err := w.Write(record)
	return err
}

// ManifestError is a mistake in an augmented manifest.
type ManifestError struct{ Err error }

func (e *ManifestError) Error() string { return e.Err.Error() }
func (e *ManifestError) Unwrap() error { return e.Err }

// Manifest gives what the platform makes of an augmented manifest, a file of JSON Lines: of each line the attributes that
// are named, in the order in which they are; for one whose name ends in -ref the bytes of the object. Objects are files
// here, as seen from the manifest.
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
			value = []byte(text) // of a string its text, of anything else its JSON
		}
		if err := writeAttribute(w, filepath.Dir(path), name, value, wrap); err != nil {
			return fmt.Errorf("attribute %q: %w", name, err)
		}
	}
	return nil
}

func writeAttribute(w io.Writer, dir, name string, value []byte, wrap Wrap) error {
	object := string(value)
	switch {
	case !strings.HasSuffix(name, "-ref"):
		return writeRecord(w, value, wrap)
	case strings.Contains(object, "://"):
		return &ManifestError{Err: fmt.Errorf("found %q, expected a file\nhint: copy the object, and give its path", object)}
	case !filepath.IsAbs(object):
		object = filepath.Join(dir, object)
	}
	err := writeObject(w, object, wrap)
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return &ManifestError{Err: err}
	}
	return err
}
