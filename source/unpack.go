package source

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"
)

// Unpack unpacks a gzip-compressed tar archive into a directory that does not exist yet, or is empty. The
// directory has all of the archive or nothing: what is unpacked gets its name when it is whole. The error is
// an *ArchiveError, a *WriteError or that of ctx.
//
// Names and links lead nowhere outside of the directory. Permissions and times are kept. Owners, and the bits
// that let a program run as another user, are not.
func Unpack(ctx context.Context, archive, dir string, limits Limits) error {
	file, err := os.Open(archive)
	if err != nil {
		return &ArchiveError{Archive: archive, Reason: "cannot be read: " + reasonOf(err)}
	}
	defer func() { _ = file.Close() }()
	p, err := newPlace(dir)
	if err != nil {
		return &WriteError{Err: err}
	}
	defer p.close()
	u := &unpacker{ctx: ctx, root: p.root, archive: archive, limits: limits}
	if err := u.unpack(file); err != nil {
		return err
	}
	if err := p.finish(); err != nil {
		return &WriteError{Err: err}
	}
	return nil
}

// unpacker is the state of an archive that is being unpacked.
type unpacker struct {
	ctx     context.Context //nolint:containedctx // it lives as long as one call of Unpack
	root    *os.Root
	archive string
	limits  Limits

	packed   counter // what was read of the archive
	unpacked int64   // bytes of all files
	count    int     // of entries
	links    []string
	dirs     []*tar.Header // in the order of the archive
}

func (u *unpacker) unpack(file io.Reader) error {
	u.packed.r = &contextReader{ctx: u.ctx, r: file}
	z, err := gzip.NewReader(&u.packed)
	if err != nil {
		return u.broken(err)
	}
	archive := tar.NewReader(z)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return u.broken(err)
		}
		if err := u.entry(header, archive); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(z, maxTrailer)); err != nil { // the checksum of gzip
		return u.broken(err)
	}
	if err := u.checkLinks(); err != nil {
		return err
	}
	return u.finishDirs()
}

// maxTrailer is more than tar writes after its last entry: a record of at most 512 × 512 bytes, as of tar -b.
const maxTrailer = 1 << 20

// broken makes an error of one that the archive's format has.
func (u *unpacker) broken(err error) error {
	switch {
	case u.ctx.Err() != nil:
		return u.ctx.Err()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		err = errors.New("it ends too early")
	case errors.Is(err, gzip.ErrHeader):
		err = errors.New("it is not compressed by gzip")
	}
	return &ArchiveError{
		Archive: u.archive, Reason: "is no archive of code: " + err.Error(),
		Hint: "expected a .tar.gz, such as the SDK makes of source_dir",
	}
}

func (u *unpacker) fail(header *tar.Header, reason string) error {
	return &ArchiveError{Archive: u.archive, Entry: header.Name, Reason: reason}
}

// tooMuch is the error of an entry that is beyond a limit, which a flag sets.
func (u *unpacker) tooMuch(header *tar.Header, flag, format string, limit any) error {
	return &ArchiveError{
		Archive: u.archive, Entry: header.Name, Reason: fmt.Sprintf(format, limit),
		Hint: "leave out what is no code, or raise " + flag,
	}
}

// entry unpacks one entry.
func (u *unpacker) entry(header *tar.Header, content io.Reader) error {
	if header.Typeflag == tar.TypeXGlobalHeader { // such as the commit that git archive writes
		return nil
	}
	name := path.Clean(header.Name)
	if !filepath.IsLocal(name) {
		return u.fail(header, "leads out of the directory, expected a name inside")
	}
	if u.count++; u.count > u.limits.Count {
		return u.tooMuch(header, "--code-max-files", "is one too many: expected at most %d entries", u.limits.Count)
	}
	if err := u.root.MkdirAll(path.Dir(name), dirMode); err != nil {
		return u.writeError(header, err)
	}
	var err error
	switch header.Typeflag {
	case tar.TypeDir:
		u.dirs = append(u.dirs, header)
		err = u.root.MkdirAll(name, dirMode)
	case tar.TypeReg, tar.TypeGNUSparse:
		return u.file(header, name, content)
	case tar.TypeSymlink:
		u.links = append(u.links, header.Name)
		err = errors.Join(u.removeOld(name), u.root.Symlink(header.Linkname, name))
	case tar.TypeLink:
		err = errors.Join(u.removeOld(name), u.root.Link(path.Clean(header.Linkname), name))
	default:
		return u.fail(header, "is a device or a FIFO, expected files, directories and links")
	}
	return u.writeError(header, err)
}

// removeOld removes what an earlier entry has left under a name: the last one of equal names counts.
func (u *unpacker) removeOld(name string) error {
	if err := u.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (u *unpacker) file(header *tar.Header, name string, content io.Reader) error {
	if err := u.removeOld(name); err != nil {
		return u.writeError(header, err)
	}
	file, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return u.writeError(header, err)
	}
	err = u.fill(header, file, content)
	if closeErr := file.Close(); err == nil && closeErr != nil {
		err = &WriteError{Err: closeErr}
	}
	if err != nil {
		return err
	}
	return u.setModeAndTime(header, name)
}

// chunk is after how many bytes of a file the limits are looked at again.
const chunk = 1 << 20

// fill writes a file's content, within the limits.
func (u *unpacker) fill(header *tar.Header, file *os.File, content io.Reader) error {
	buffer := make([]byte, 32<<10)
	for {
		to := &lastError{w: file}
		n, err := io.CopyBuffer(to, io.LimitReader(content, chunk), buffer)
		u.unpacked += n
		switch {
		case to.err != nil:
			return &WriteError{Err: to.err}
		case err != nil:
			return u.broken(err)
		case u.unpacked > u.limits.Bytes:
			return u.tooMuch(header, "--code-max-mb", "is too much: expected at most %d MB in all", u.limits.Bytes>>20)
		case u.unpacked > chunk && u.unpacked/u.limits.Ratio > u.packed.n:
			return u.tooMuch(header, "--code-max-ratio",
				"is too much: it unpacks to more than %d times what the archive has", u.limits.Ratio)
		case n < chunk:
			return nil
		}
	}
}

// checkLinks refuses symbolic links that lead out of the directory, by themselves or by other links. A link
// to nothing may stay.
func (u *unpacker) checkLinks() error {
	for _, name := range u.links {
		if _, err := u.root.Stat(path.Clean(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &ArchiveError{
				Archive: u.archive, Entry: name, Reason: "is a link out of the directory, expected one that stays inside",
			}
		}
	}
	return nil
}

// finishDirs gives the directories their modes and times, which the entries in them would have changed.
func (u *unpacker) finishDirs() error {
	for _, header := range u.dirs {
		if err := u.setModeAndTime(header, path.Clean(header.Name)); err != nil {
			return err
		}
	}
	return nil
}

// setModeAndTime keeps the owner's right to read, since the job's own user has to.
func (u *unpacker) setModeAndTime(header *tar.Header, name string) error {
	mode := header.FileInfo().Mode().Perm() | 0o400
	if header.Typeflag == tar.TypeDir {
		mode |= 0o700
	}
	err := u.root.Chmod(name, mode)
	if err == nil && !header.ModTime.IsZero() {
		err = u.root.Chtimes(name, time.Time{}, header.ModTime)
	}
	return u.writeError(header, err)
}

// writeError makes an error of one that came from the directory. Such an error is the archive's fault where a
// name does not fit: a file in place of a directory, or a path by way of a link that leads out.
func (u *unpacker) writeError(header *tar.Header, err error) error {
	if err == nil {
		return nil
	}
	if isDisk(err) {
		return &WriteError{Err: err}
	}
	return u.fail(header, "does not fit: "+reasonOf(err))
}
