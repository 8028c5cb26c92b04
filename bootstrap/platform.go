package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

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
type source struct{ channel, path string }

// Wrappers are the words for Platform.Wrapper, the default first.
func Wrappers() []string { return []string{"None", "RecordIO"} }

// AddPipe adds a Pipe channel NAME=PATH: a directory with objects, or an augmented manifest.
func (t *Tree) AddPipe(text string) error {
	name, path, ok := strings.Cut(text, "=")
	if !ok || name == "" || path == "" {
		return errors.New("want CHANNEL=PATH")
	}
	t.Platform.sources = append(t.Platform.sources, source{name, path})
	return t.AddChannel(name + "=Pipe")
}

// Serves says whether there is anything to do once the tree is written.
func (t *Tree) Serves() bool { return len(t.Platform.sources) > 0 }

// wrap says in the contract how the records of the channels are delimited.
func (t *Tree) wrap() {
	for i, f := range t.channels.Fields {
		for _, s := range t.Platform.sources {
			if s.channel == f.Key {
				t.channels.Fields[i].Value.Set("RecordWrapperType", hparams.Str(t.Platform.Wrapper))
			}
		}
	}
}

// PreparePlatform writes the tree, or makes sure that one which is there has the Pipe channels.
func PreparePlatform(dir string, t Tree, env []string) error {
	if _, err := os.Lstat(filepath.Join(dir, "input/config", contract.ResourceFile)); err != nil {
		return Scaffold(dir, t)
	}
	in := Inspect(dir, env, "")
	if err := in.Err(); err != nil {
		return err
	}
	for _, s := range t.Platform.sources {
		if _, err := in.Stream(s.channel, Pipe{}); err != nil {
			return err
		}
	}
	return nil
}

// Serve makes the FIFOs of the tree's Pipe channels, until all have had their epochs or a signal comes.
func (d *Doer) Serve(dir string, t Tree) error {
	signals, release := d.signals.Context(context.Background())
	defer release()
	ctx, cancel := context.WithCancelCause(signals)
	defer cancel(nil)
	var channels sync.WaitGroup
	for i, s := range t.Platform.sources {
		fill, err := t.Platform.fill(s)
		if err != nil {
			cancel(err)
			break
		}
		channels.Go(func() {
			err := channel.Serve(ctx, channel.Platform{
				Prefix: filepath.Join(dir, "input/data", s.channel), Epochs: t.Platform.Epochs, Fill: fill,
				Late: t.Platform.Late, Seed: uint64(t.Platform.Seed) + uint64(i), //nolint:gosec // neither is negative
			})
			if err != nil {
				cancel(fmt.Errorf("channel %s: %w", s.channel, err))
			}
		})
	}
	channels.Wait()
	return outputError(context.Cause(ctx))
}

// fill says what a channel's epochs hold.
func (p *Platform) fill(s source) (func(io.Writer) error, error) {
	var wrap channel.Wrap
	if p.Wrapper == "RecordIO" {
		wrap = recordio.AppendRecord
	}
	info, err := os.Stat(s.path)
	switch {
	case err != nil:
		return nil, &UsageError{Err: fmt.Errorf("--pipe %s=%s: %w", s.channel, s.path, err)}
	case info.IsDir():
		return channel.Directory(s.path, wrap), nil
	case p.Attributes == "":
		return nil, &UsageError{Err: fmt.Errorf("--pipe %s=%s: want a directory, or --attributes with those to take from an augmented manifest", s.channel, s.path)}
	}
	return channel.Manifest(s.path, strings.Split(p.Attributes, ","), wrap), nil
}
