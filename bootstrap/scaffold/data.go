package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"entrain/bootstrap/plan"
	"entrain/contract"
	"entrain/hparams"
)

// AddData adds the data CHANNEL=PATH: a directory or a file that Write copies into the channel.
func (t *Tree) AddData(text string) error {
	name, path, ok := strings.Cut(text, "=")
	if !ok || name == "" || path == "" {
		return errors.New("expected CHANNEL=PATH")
	}
	if slices.ContainsFunc(t.data, func(s source) bool { return s.channel == name }) {
		return fmt.Errorf("channel %s gets data twice, expected each channel once", hparams.Quote(name))
	}
	t.data = append(t.data, source{channel: name, path: path})
	return nil
}

// listData lists the files and directories that each channel gets, before anything is written. It adds a
// channel in File mode if --channel does not name the channel.
func (t *Tree) listData() (map[string][]entry, error) {
	data := map[string][]entry{}
	var errs []error
	for _, s := range t.data {
		channel, declared := t.channels.Get(s.channel)
		if !declared {
			if err := t.AddChannel(s.channel + "=" + string(contract.ModeFile)); err != nil {
				return nil, err
			}
		}
		if mode, _ := channel.Get("TrainingInputMode"); mode.Text == string(contract.ModePipe) {
			errs = append(errs, fmt.Errorf("--data %s=%s: channel %[1]q has Pipe mode, expected File or FastFile\n"+
				"hint: --pipe %[3]s streams it", s.channel, s.path, plan.ShellQuote(s.channel+"="+s.path)))
			continue
		}
		entries, err := s.list()
		if err == nil && !slices.ContainsFunc(entries, func(e entry) bool { return !e.mode.IsDir() }) {
			// A job on the platform fails if a channel has no file.
			err = fmt.Errorf("%s: expected at least one file, got none", s.path)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("--data %s=%s: %w", s.channel, s.path, err))
		}
		data[s.channel] = entries
	}
	if err := errors.Join(errs...); err != nil {
		return nil, &plan.UsageError{Err: err}
	}
	return data, nil
}

// list lists what a channel gets. The paths of the entries are relative to the channel's directory.
func (s *source) list() ([]entry, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return listDir(s.path, "", []fs.FileInfo{info})
	}
	path, err := filepath.Abs(s.path)
	if err != nil {
		return nil, err
	}
	file, err := dataFile(path, filepath.Base(path), info)
	return []entry{file}, err
}

// listDir lists what is below the directory from, with paths below to. It lists the target of a link in place
// of the link, because a container does not see the target. above holds the directories that lead to from. A
// link to one of them is an error: following it would never end.
func listDir(from, to string, above []fs.FileInfo) (entries []entry, err error) {
	names, err := os.ReadDir(from)
	errs := []error{err}
	for _, name := range names {
		path, below := filepath.Join(from, name.Name()), filepath.Join(to, name.Name())
		info, err := os.Stat(path)
		switch {
		case err != nil:
			errs = append(errs, err)
		case !info.IsDir():
			file, err := dataFile(path, below, info)
			entries, errs = append(entries, file), append(errs, err)
		case slices.ContainsFunc(above, func(dir fs.FileInfo) bool { return os.SameFile(dir, info) }):
			errs = append(errs, fmt.Errorf("%s: leads back to a directory above it", path))
		default:
			inside, err := listDir(path, below, append(slices.Clip(above), info))
			entries = append(append(entries, entry{path: below, mode: fs.ModeDir | 0o755}), inside...)
			errs = append(errs, err)
		}
	}
	return entries, errors.Join(errs...)
}

// dataFile makes the entry of a file to copy. It returns an error if the file cannot be read.
func dataFile(from, to string, info fs.FileInfo) (entry, error) {
	if !info.Mode().IsRegular() {
		return entry{}, fmt.Errorf("%s: expected a file or a directory, got %s", from, kindName(info.Mode()))
	}
	f, err := os.Open(from)
	if err != nil {
		return entry{}, err
	}
	return entry{path: to, mode: 0o644 | info.Mode().Perm()&0o111, copyOf: from}, f.Close()
}

// kindName names the kind of something that is neither a file nor a directory.
func kindName(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}
