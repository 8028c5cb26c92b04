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

// Write leaves an error in the failure file of the contract under root, unless the trainer left one there: its own
// words are better. Secrets are masked: the platform shows the file to whoever may describe the job. It returns the
// error, and with it whatever kept it from being written.
func Write(root string, mask func(string) string, err error) error {
	if err == nil {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- write(root, mask, err) }() // a mount that hangs keeps it until the process ends
	if err, ok := bounded.Receive(reportBound, done); ok {
		return err
	}
	late := fmt.Errorf("the file system did not answer within %s", reportBound)
	return errors.Join(err, &output.Error{What: failureFile(root), Err: late})
}

// reportBound is how long a report may take.
const reportBound = 10 * time.Second

// write is Write without its bound.
func write(root string, mask func(string) string, err error) error {
	if !reportsTo(root) {
		return err // no platform, nobody to report to
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
	if (elsewhere || stopped) && len(old) > 0 { // that this trainer says why it was stopped matters less, but is not lost
		text = cause.Fit(text + "\n" + mask(string(old)))
	}
	writeErr := writeFailure(file, text)
	if failed, ok := errors.AsType[*output.Error](writeErr); ok {
		failed.What = fmt.Sprintf("the failure file %s as uid %d", file, os.Getuid())
	}
	return errors.Join(err, writeErr)
}

// writeFailure writes the failure file, or into what has its name and is no file.
func writeFailure(file, text string) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return output.Now(file, text)
	}
	err := output.Atomically(file, strings.NewReader(text), 0o644)
	if err != nil && output.Over(file, text) == nil { // a full disk may have room in the file itself
		return nil
	}
	return err
}

// reportsTo says whether root is the platform's, or holds a contract. Any other directory that a mistaken --root names is
// somebody's own, and nothing is written into it.
func reportsTo(root string) bool {
	if filepath.Clean(root) == contract.DefaultRoot {
		_, err := os.Stat(root)
		return err == nil
	}
	info, err := os.Stat(filepath.Join(root, "input/config"))
	return err == nil && info.IsDir()
}

// failureFile is where the platform looks for a failure.
func failureFile(root string) string { return filepath.Join(root, "output/failure") }

// readSome reads the beginning of a file; nothing of what is no file, such as a FIFO.
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

// Clear takes away an earlier run's failure file, or what is in it where the name is a link. What is no file stays.
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

// fullDisks says which of the places that a trainer writes to have no room left, one place of each disk.
func fullDisks(root string) []string {
	const little = 1 << 20 // bytes; a full disk has less left
	var hints []string
	seen := map[uint64]bool{}
	for _, dir := range []string{root + "/model", root + "/output/data", root + "/checkpoints", root + "/output", "/tmp", "/dev/shm", "/"} {
		var info syscall.Stat_t
		var fs syscall.Statfs_t
		if syscall.Stat(dir, &info) != nil || seen[info.Dev] || syscall.Statfs(dir, &fs) != nil {
			continue
		}
		seen[info.Dev] = true
		if fs.Flags&syscall.MS_RDONLY != 0 {
			continue // such as squashfs, which is always full
		}
		if fs.Blocks > 0 && fs.Bavail < max(1, little/uint64(max(1, fs.Bsize))) {
			hints = append(hints, "no space left in "+dir)
		}
		if fs.Files > 0 && fs.Ffree == 0 { // it then says "no space left on device" with gigabytes to spare
			hints = append(hints, "no inodes left in "+dir+": too many files")
		}
	}
	return hints
}
