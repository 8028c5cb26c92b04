package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"entrain/bootstrap/bounded"
	"entrain/bootstrap/output"
	"entrain/bootstrap/report/cause"
	"entrain/contract"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// Write writes an error to the failure file of the contract under root. If the trainer has failed and has
// written this file itself, Write leaves it: the words of the trainer are better. The function mask
// replaces secrets, because the platform shows the file to everybody who may describe the job. Write
// returns err, joined with an *output.Error if the file cannot be written within 10 s.
func Write(root string, mask func(string) string, err error) error {
	if err == nil {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- write(root, mask, err) }() // if a mount hangs, this never ends
	if err, ok := bounded.Receive(reportBound, done); ok {
		return err
	}
	late := fmt.Errorf("the file system did not answer within %s", reportBound)
	return errors.Join(err, &output.Error{What: failureFile(root), Err: late})
}

// reportBound is the longest time that Write takes. A file system that answers needs milliseconds; a mount
// over the network may need seconds. With the default --grace it is the time that the platform leaves between
// the end of the grace and its SIGKILL. It must be longer than output's readerBound.
const reportBound = 10 * time.Second

// write is Write without a limit of time.
func write(root string, mask func(string) string, err error) error {
	if !reportsTo(root) {
		return err // nobody reads the file
	}
	file := failureFile(root)
	_, ran := errors.AsType[*proc.ExitError](err)
	_, elsewhere := errors.AsType[*rendezvous.PeerError](err)
	_, stopped := errors.AsType[*StoppedError](err)
	old := readSome(file, 4*cause.MaxText)
	if ran && len(old) > 0 {
		return err
	}
	text := FailureText(err, mask, fullDisks(root)...)
	if (elsewhere || stopped) && len(old) > 0 { // the words of this trainer matter less, so they come last
		text = cause.Fit(text + "\n" + mask(cause.Printable(string(old))))
	}
	writeErr := writeFailure(file, text)
	if failed, ok := errors.AsType[*output.Error](writeErr); ok {
		failed.What = fmt.Sprintf("the failure file %s as uid %d", file, os.Getuid())
	}
	return errors.Join(err, writeErr)
}

// writeFailure replaces the failure file. If something else than a file is there, such as a FIFO, it
// writes into it.
func writeFailure(file, text string) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return output.ToDevice(file, text)
	}
	err := output.Atomically(file, strings.NewReader(text), 0o644)
	if err != nil && output.InPlace(file, text) == nil { // on a full disk the old file still has its own room
		return nil
	}
	return err
}

// reportsTo reports whether root is the root of the platform, or holds a contract. Another directory is a
// mistake in --root. It belongs to somebody else, so nothing is written into it.
func reportsTo(root string) bool {
	if filepath.Clean(root) == contract.DefaultRoot {
		_, err := os.Stat(root)
		return err == nil
	}
	info, err := os.Stat(filepath.Join(root, "input/config"))
	return err == nil && info.IsDir()
}

// failureFile is the path of the failure file, which the platform reads.
func failureFile(root string) string { return filepath.Join(root, "output/failure") }

// readSome reads the first bytes of a file, at most most. It returns nil for anything else, such as a FIFO.
func readSome(path string, most int64) []byte {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	data, _ := io.ReadAll(io.LimitReader(f, most))
	return data
}

// Clear removes a file that says why a program failed, such as that of an earlier run. If the path is a link
// to a file, Clear empties that file. Anything else stays.
func Clear(path string) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	if link, err := os.Lstat(path); err == nil && link.Mode().IsRegular() {
		_ = os.Remove(path)
		return
	}
	_ = os.Truncate(path, 0)
}

// fullDisks returns a hint for each full disk among the directories that a trainer writes to.
func fullDisks(root string) []string {
	const little = 1 << 20 // bytes; a disk with less room counts as full
	var hints []string
	seen := map[uint64]bool{}
	for _, dir := range []string{
		root + "/model", root + "/output/data", root + "/checkpoints", root + "/output", "/tmp", "/dev/shm", "/",
	} {
		var info syscall.Stat_t
		var fs syscall.Statfs_t
		if syscall.Stat(dir, &info) != nil || seen[info.Dev] || syscall.Statfs(dir, &fs) != nil {
			continue
		}
		seen[info.Dev] = true
		if fs.Flags&syscall.MS_RDONLY != 0 {
			continue // a read-only disk, such as squashfs, is always full
		}
		if fs.Blocks > 0 && fs.Bavail < max(1, little/uint64(max(1, fs.Bsize))) {
			hints = append(hints, "no space left in "+dir)
		}
		if fs.Files > 0 && fs.Ffree == 0 { // writes then fail with "no space left on device" although there is room
			hints = append(hints, "no inodes left in "+dir+": too many files")
		}
	}
	return hints
}
