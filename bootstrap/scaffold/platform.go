package scaffold

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/stream"
	"entrain/bootstrap/world"
	"entrain/channel"
	"entrain/channel/recordio"
	"entrain/contract"
	"entrain/hparams"
)

// Platform is how Serve plays the platform's side of Pipe mode.
type Platform struct {
	Epochs     int           // 0 for as many as are read
	Late       time.Duration // how late a FIFO may come
	Seed       int           // of how late each one is
	Wrapper    string        // RecordWrapperType of the channels
	Attributes string        // of an augmented manifest, with commas between them
	sources    []source
}

// source is what a channel is filled with.
type source struct {
	channel, path string
	wrapper       string // RecordWrapperType of the channel
	fill          func(io.Writer) error
}

// Wrappers are the words for Platform.Wrapper, the default first.
func Wrappers() []string { return []string{"None", "RecordIO"} }

// AddPipe adds a Pipe channel NAME=PATH: a directory with objects, or an augmented manifest.
func (t *Tree) AddPipe(text string) error {
	name, path, ok := strings.Cut(text, "=")
	if !ok || name == "" || path == "" {
		return errors.New("expected CHANNEL=PATH")
	}
	t.Platform.sources = append(t.Platform.sources, source{channel: name, path: path})
	return t.AddChannel(name + "=Pipe")
}

// Serves says whether there is anything to do once the tree is written.
func (t *Tree) Serves() bool { return len(t.Platform.sources) > 0 }

// wrap says in the contract how the records of the channels are delimited.
func (t *Tree) wrap() {
	for i, f := range t.channels.Fields {
		for _, s := range t.Platform.sources {
			if s.channel == f.Key {
				t.channels.Fields[i].Value.Set("RecordWrapperType", hparams.Str(cmp.Or(s.wrapper, t.Platform.Wrapper)))
			}
		}
	}
}

// PreparePlatform writes the tree, or makes sure that one which is there is what was asked for. Nothing is written for a
// source that cannot be served.
func PreparePlatform(dir string, t Tree, env []string) error {
	_, err := os.Lstat(filepath.Join(dir, "input/config", contract.ResourceFile))
	isThere := err == nil
	if isThere {
		if err := t.take(dir, env); err != nil {
			return err
		}
	}
	for i := range t.Platform.sources { // which Serve shares
		if err := t.Platform.prepare(&t.Platform.sources[i]); err != nil {
			return err
		}
	}
	if isThere {
		return nil
	}
	return Write(dir, t)
}

// take holds a tree that is there against what was asked for, and has the records wrapped as its contract says.
func (t *Tree) take(dir string, env []string) error {
	files := func(*contract.Snapshot) contract.Questions { return contract.Questions{} } // nothing but the files counts
	job, problems := contract.Load(world.Photograph(context.Background(), dir, env, "", files))
	if len(contract.Errors(problems)) > 0 {
		return &contract.InvalidError{Problems: problems}
	}
	for i, s := range t.Platform.sources {
		if _, err := plan.DecideStream(job, s.channel, plan.Pipe{}); err != nil {
			return err
		}
		for _, c := range job.Channels {
			if c.Name == s.channel {
				t.Platform.sources[i].wrapper = cmp.Or(c.Wrapper, Wrappers()[0])
			}
		}
		if got := t.Platform.sources[i].wrapper; t.Platform.Wrapper != Wrappers()[0] && t.Platform.Wrapper != got {
			return &plan.UsageError{Err: fmt.Errorf("--record-wrapper %s: in %s channel %s has %s\nhint: leave the flag out, or name another directory",
				t.Platform.Wrapper, dir, hparams.Quote(s.channel), got)}
		}
	}
	return t.ignored(dir)
}

// ignored refuses flags of which a tree that is there says something else.
func (t *Tree) ignored(dir string) error {
	if len(t.data) > 0 {
		return &plan.UsageError{Err: fmt.Errorf("--data: %s holds a contract already, and nothing is added to it\nhint: leave the flag out, or name another directory", dir)}
	}
	t.wrap()
	d, files := DefaultTree(), t.files()
	for _, f := range []struct {
		file, flags string
		given       bool
	}{
		{contract.HyperparametersFile, "--hp", len(t.params.Fields) > 0},
		{contract.InputDataFile, "--channel", len(t.channels.Fields) > len(t.Platform.sources)},
		{
			contract.ResourceFile, "--hosts, --current-host and --instance-type",
			t.Hosts != d.Hosts || t.CurrentHost != d.CurrentHost || t.InstanceType != d.InstanceType,
		},
	} {
		path := filepath.Join(dir, "input/config", f.file)
		if data, err := os.ReadFile(path); f.given && (err != nil || !bytes.Equal(data, files[f.file].Data)) {
			return &plan.UsageError{Err: fmt.Errorf("%s: %s exists already and says something else\nhint: leave the flags out, or name another directory", f.flags, path)}
		}
	}
	return nil
}

// Serve makes the FIFOs of the Pipe channels of a tree that PreparePlatform has seen, until all have had their epochs or
// the context ends.
func Serve(ctx context.Context, dir string, t Tree) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var channels sync.WaitGroup
	for i, s := range t.Platform.sources {
		channels.Go(func() {
			err := channel.Serve(ctx, channel.Platform{
				Prefix: filepath.Join(dir, "input/data", s.channel), Epochs: t.Platform.Epochs, Fill: s.fill,
				Late: t.Platform.Late, Seed: uint64(t.Platform.Seed) + uint64(i), //nolint:gosec // neither is negative
			})
			if err != nil {
				cancel(fmt.Errorf("channel %s: %w", s.channel, err))
			}
		})
	}
	channels.Wait()
	return stream.OutputError("the FIFOs", context.Cause(ctx))
}

// prepare says what a channel's epochs hold.
func (p *Platform) prepare(s *source) error {
	var wrap channel.Wrap
	if cmp.Or(s.wrapper, p.Wrapper) == "RecordIO" {
		wrap = recordio.AppendRecord
	}
	info, err := os.Stat(s.path)
	switch {
	case err != nil:
		return &plan.UsageError{Err: fmt.Errorf("--pipe %s=%s: %w", s.channel, s.path, err)}
	case info.IsDir():
		s.fill = channel.Directory(s.path, wrap)
	case p.Attributes == "":
		return &plan.UsageError{Err: fmt.Errorf("--pipe %s=%s: expected a directory; for an augmented manifest, --attributes says what to take from it", s.channel, s.path)}
	default:
		s.fill = channel.Manifest(s.path, strings.Split(p.Attributes, ","), wrap)
	}
	return nil
}
