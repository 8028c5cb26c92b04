package channel

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxProblems is how many problems of a source are listed. A number tells of the others.
const maxProblems = 100

// Objects returns what the platform streams for the objects under a prefix: each file below path is a row, in
// the order of S3, which sorts by the bytes of the whole key. path may also be a single file. The entries
// that skip returns true for are left out. The error lists each entry that is no file which can be read: a
// stream would have to end there, and its reader would take this for the end of the data.
func Objects(path string, compressed bool, skip func(path string) bool) ([][]Piece, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return [][]Piece{{{Path: path}}}, checkObject(path, compressed)
	}
	var keys []string
	var problems problemList
	err = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			problems.add(err)
			return nil
		case skip(name) && entry.IsDir():
			return fs.SkipDir
		case entry.IsDir() || skip(name):
			return nil
		}
		problems.add(checkObject(name, compressed))
		key, err := filepath.Rel(path, name)
		problems.add(err)
		keys = append(keys, key)
		return nil
	})
	problems.add(err)
	slices.Sort(keys)
	rows := make([][]Piece, len(keys))
	for i, key := range keys {
		rows[i] = []Piece{{Path: filepath.Join(path, key)}}
	}
	return rows, problems.err()
}

// checkObject checks that a path leads to a file that can be read. Opening a FIFO would wait for its writer.
func checkObject(path string, compressed bool) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && isLink(path):
		return fmt.Errorf("%s: a link to nothing, expected a file", path)
	case err != nil:
		return err
	case info.IsDir() && isLink(path):
		const hint = "hint: S3 has no links; copy the directory"
		return fmt.Errorf("%s: a link to a directory, expected a file\n%s", path, hint)
	case info.IsDir():
		return fmt.Errorf("%s: a directory, expected a file", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: a FIFO, a socket or a device, expected a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if compressed {
		if _, err := gzip.NewReader(f); err != nil {
			return fmt.Errorf("%s: expected a gzip file: %w", path, err)
		}
	}
	return nil
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// problemList collects problems, and counts those beyond maxProblems.
type problemList struct {
	errs []error
	more int
}

func (l *problemList) add(err error) {
	switch {
	case err == nil:
	case len(l.errs) < maxProblems:
		l.errs = append(l.errs, err)
	default:
		l.more++
	}
}

func (l *problemList) err() error {
	errs := l.errs
	if l.more > 0 {
		errs = append(slices.Clip(errs), fmt.Errorf("and %d more problems", l.more))
	}
	return errors.Join(errs...)
}

// Map says which directory stands for the objects whose URIs begin with a prefix, such as s3://bucket/.
type Map struct{ Prefix, Dir string }

// Places finds the files of objects.
type Places struct {
	Base string // the directory that a relative path belongs to
	Maps []Map  // the longest prefix that fits counts
}

// Find returns the path of an object's file, or of the directory for a prefix. object is a URI or a path.
func (p *Places) Find(object string) (string, error) {
	scheme, _, isURI := strings.Cut(object, "://")
	if !isURI {
		if filepath.IsAbs(object) {
			return object, nil
		}
		return filepath.Join(p.Base, object), nil
	}
	var best *Map
	for i, m := range p.Maps {
		if strings.HasPrefix(object, m.Prefix) && (best == nil || len(m.Prefix) > len(best.Prefix)) {
			best = &p.Maps[i]
		}
	}
	if best == nil {
		bucket, _, _ := strings.Cut(object[len(scheme)+3:], "/")
		const hint = "hint: --map %s://%s/=DIR, with a copy of the objects in DIR"
		return "", fmt.Errorf("found %q, expected a file\n"+hint, object, scheme, bucket)
	}
	key := strings.TrimPrefix(object[len(best.Prefix):], "/")
	if key != "" && !filepath.IsLocal(key) {
		return "", fmt.Errorf("found %q, which leads out of %s, expected a key inside", object, best.Dir)
	}
	return filepath.Join(best.Dir, key), nil
}
