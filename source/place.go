package source

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// place is where an archive is unpacked, until it is whole and gets its name.
type place struct {
	root *os.Root
	temp string // the path of root; empty once its content has its name
	dir  string // the name
	// inside says that temp is in dir. It is beside dir otherwise. A dir that cannot be removed, such as the
	// target of a mount, gets the entries of temp one by one.
	inside bool
	mode   fs.FileMode // of dir, where it existed; 0 where it did not
}

// dirMode is the mode of directories that the archive does not name. The trainer may be another user.
const dirMode fs.FileMode = 0o755

func newPlace(dir string) (*place, error) {
	p := &place{dir: dir}
	if info, err := os.Lstat(dir); err == nil { // a link to a directory stays
		p.mode = info.Mode().Perm()
		p.inside = !info.IsDir() || os.Remove(dir) != nil // which removes only an empty directory
	}
	parent := filepath.Dir(dir)
	if p.inside {
		parent = dir
	} else if err := os.MkdirAll(parent, dirMode); err != nil {
		return nil, err
	}
	var err error
	if p.temp, err = os.MkdirTemp(parent, ".entrain-code-*"); err == nil {
		p.root, err = os.OpenRoot(p.temp)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// finish gives what was unpacked its name.
func (p *place) finish() error {
	if !p.inside {
		if err := errors.Join(os.Chmod(p.temp, cmp.Or(p.mode, dirMode)), os.Rename(p.temp, p.dir)); err != nil {
			return err
		}
		p.temp = ""
		return nil
	}
	entries, err := os.ReadDir(p.temp)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.Rename(filepath.Join(p.temp, entry.Name()), filepath.Join(p.dir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// close removes what has not got its name, and makes the directory again that newPlace has removed.
func (p *place) close() {
	if p.root != nil {
		_ = p.root.Close()
	}
	if p.temp == "" {
		return
	}
	_ = os.RemoveAll(p.temp)
	if p.mode != 0 && !p.inside {
		_ = os.Mkdir(p.dir, p.mode)
	}
}
