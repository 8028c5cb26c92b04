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

// AddData adds data NAME=PATH: a directory, or a file, that is copied into a channel.
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

// fill declares the channels that have data, in File mode unless --channel says another, and lists what they
// are filled with. All data is looked at here, before anything is written.
func (t *Tree) fill() (map[string][]entry, error) {
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
			err = fmt.Errorf("%s: expected at least one file, got none", s.path) // a job on the platform fails of that
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

// list is what a channel is filled with, by paths below the channel's directory.
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

// listDir lists what is below a directory. A link stands for what it points to, which a container cannot
// see. A link to a directory above it would have no end.
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

// dataFile is a file to copy, once it is sure that it can be read.
func dataFile(from, to string, info fs.FileInfo) (entry, error) {
	if !info.Mode().IsRegular() {
		return entry{}, fmt.Errorf("%s: expected a file or a directory, got %s", from, kind(info.Mode()))
	}
	f, err := os.Open(from)
	if err != nil {
		return entry{}, err
	}
	return entry{path: to, mode: 0o644 | info.Mode().Perm()&0o111, from: from}, f.Close()
}

// kind names what is neither a file nor a directory.
func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}
