package bootstrap

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"entrain/bootstrap/report"
	"entrain/contract"
	"entrain/hostwait/rendezvous"
	"entrain/proc"
)

// Report leaves an error in the failure file of the contract under root, unless the trainer left one there: its own
// words are better. Secrets are masked: the platform shows the file to whoever may describe the job. It returns the
// error, and with it whatever kept it from being written.
func Report(root string, mask func(string) string, err error) error {
	if err == nil {
		return nil
	}
	if !reportsTo(root) {
		return err // no platform, nobody to report to
	}
	file := filepath.Join(root, "output/failure")
	_, ran := errors.AsType[*proc.ExitError](err)
	_, elsewhere := errors.AsType[*rendezvous.PeerError](err)
	old, _ := os.ReadFile(file)
	if ran && len(old) > 0 {
		return err
	}
	text := FailureText(err, mask, fullDisks(root)...)
	if elsewhere && len(old) > 0 { // that this trainer says why it was stopped matters less, but is not lost
		text = report.Fit(text + "\n" + mask(string(old)))
	}
	writeErr := writeAtomically(file, strings.NewReader(text), 0o644)
	if writeErr != nil && writeOver(file, text) == nil { // a full disk may have room in the file itself
		writeErr = nil
	}
	if output, ok := errors.AsType[*OutputError](writeErr); ok {
		output.What = fmt.Sprintf("the failure file %s as uid %d", file, os.Getuid())
	}
	return errors.Join(err, writeErr)
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
