package scaffold

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"entrain/bootstrap/plan"
	"entrain/channel"
	"entrain/channel/recordio"
	"entrain/contract"
	"entrain/hparams"
)

// place is the tree that is served, and the host that it is for.
type place struct {
	dir         string
	hosts, host int // the number of hosts, and of this one, from 0
}

// prepareSource decides what the epochs of a Pipe channel hold. It returns a warning for a channel that gets
// nothing. The errors are those of PreparePlatform.
func (p *Platform) prepareSource(s *source, at place) (warning string, err error) {
	s.content = channel.Source{Gzip: p.Compression == "Gzip"}
	if cmp.Or(s.wrapper, p.Wrapper) == "RecordIO" {
		s.content.Wrap = recordio.WriteRecord
	}
	if p.ShuffleSeed != nil {
		s.content.Shuffle, s.content.Seed = true, *p.ShuffleSeed
	}
	if cmp.Or(s.distribution, p.Distribution) == "ShardedByS3Key" {
		s.content.Hosts, s.content.Host = at.hosts, at.host
	}
	flag := fmt.Sprintf("--pipe %s=%s", s.channel, s.path)
	places := channel.Places{Maps: p.maps}
	path, err := places.Find(s.path)
	if err == nil {
		places.Base = filepath.Dir(path)
		s.content.Rows, err = p.readRows(path, places, at)
	}
	if err != nil {
		return "", sourceError(flag, err)
	}
	switch all := len(s.content.Rows); {
	case all == 0:
		return flag + ": no object is there, so each epoch is empty", nil
	case s.content.Share() == 0:
		return fmt.Sprintf("%s: ShardedByS3Key gives this host none of %d objects, so each epoch is empty",
			flag, all), nil
	case p.DataType == "" && p.Attributes == "" && strings.HasSuffix(path, ".manifest"):
		return flag + ": the file itself is streamed\n" +
			"hint: --attributes says what to take from an augmented manifest", nil
	}
	return "", nil
}

// sourceError makes each error of a source a *plan.UsageError, unless it is one of a manifest.
func sourceError(flag string, err error) error {
	if _, ok := errors.AsType[*channel.ManifestError](err); ok {
		return err
	}
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	for i, err := range errs {
		errs[i] = fmt.Errorf("%s: %w", flag, err)
	}
	return &plan.UsageError{Err: errors.Join(errs...)}
}

// readRows lists what is streamed.
func (p *Platform) readRows(path string, places channel.Places, at place) ([][]channel.Piece, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("expected a file or a directory, got %s", kindName(info.Mode()))
	}
	kind := p.DataType
	if kind == "" && !info.IsDir() && p.Attributes != "" {
		kind = dataAugmented
	}
	compressed := p.Compression == "Gzip"
	switch {
	case kind == dataAugmented && p.Attributes == "":
		return nil, errors.New("--attributes must say what to take from the augmented manifest")
	case info.IsDir() && kind == "" && p.Attributes != "" && len(p.sources) == 1:
		return nil, errors.New("--attributes takes attributes from an augmented manifest, got a directory")
	case info.IsDir() && (kind == dataAugmented || kind == dataManifest):
		return nil, fmt.Errorf("expected a file for --s3-data-type %s, got a directory", kind)
	case kind == dataAugmented:
		return channel.AugmentedManifest(path, strings.Split(p.Attributes, ","), places, compressed)
	case kind == dataManifest:
		return channel.ManifestFile(path, places, compressed)
	}
	if err := at.refuseOwn(path, info); err != nil {
		return nil, err
	}
	return channel.Objects(path, compressed, isTreePart)
}

// treeParts are the directories of a tree. They are no data, wherever the tree is.
func treeParts() []string { return []string{"input", "model", "output", "code"} }

// isTreePart reports whether a path is one of the directories of a tree.
func isTreePart(path string) bool {
	if !slices.Contains(treeParts(), filepath.Base(path)) {
		return false
	}
	_, err := os.Lstat(filepath.Join(filepath.Dir(path), "input/config", contract.ResourceFile))
	return err == nil
}

// refuseOwn returns an error for a source that is a part of the tree itself.
func (at *place) refuseOwn(source string, sourceInfo fs.FileInfo) error {
	for _, name := range append(treeParts(), "input/config", "input/data", "output/data") {
		info, err := os.Stat(filepath.Join(at.dir, name))
		if err == nil && os.SameFile(info, sourceInfo) {
			return fmt.Errorf("%s is a part of the tree %s itself, expected data", source, hparams.Quote(at.dir))
		}
	}
	return nil
}
