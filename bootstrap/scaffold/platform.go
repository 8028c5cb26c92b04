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

// Platform says how Serve plays the platform's side of Pipe mode.
type Platform struct {
	Epochs     int           // the number of epochs; 0 for no limit
	Late       time.Duration // the longest delay of a FIFO
	Seed       int           // decides which FIFOs are late, and by how much
	Wrapper    string        // the RecordWrapperType of the channels, one of Wrappers
	Attributes string        // the attributes to take from an augmented manifest, separated by commas
	sources    []source
}

// source says what a channel gets.
type source struct {
	channel, path string
	wrapper       string                // RecordWrapperType of the channel; empty for Platform.Wrapper
	writeEpoch    func(io.Writer) error // for a Pipe channel
}

// Wrappers returns the values of Platform.Wrapper, the default first.
func Wrappers() []string { return []string{"None", "RecordIO"} }

// AddPipe adds the Pipe channel CHANNEL=PATH, which streams the files of a directory, or the objects of an
// augmented manifest.
func (t *Tree) AddPipe(text string) error {
	name, path, ok := strings.Cut(text, "=")
	if !ok || name == "" || path == "" {
		return errors.New("expected CHANNEL=PATH")
	}
	t.Platform.sources = append(t.Platform.sources, source{channel: name, path: path})
	return t.AddChannel(name + "=Pipe")
}

// Serves says whether the tree has Pipe channels that Serve must stream.
func (t *Tree) Serves() bool { return len(t.Platform.sources) > 0 }

// setWrappers sets the RecordWrapperType of the Pipe channels in the contract.
func (t *Tree) setWrappers() {
	for i, f := range t.channels.Fields {
		for _, s := range t.Platform.sources {
			if s.channel == f.Key {
				wrapper := cmp.Or(s.wrapper, t.Platform.Wrapper)
				t.channels.Fields[i].Value.Set("RecordWrapperType", hparams.Str(wrapper))
			}
		}
	}
}

// PreparePlatform writes the tree to dir. If dir holds a contract already, it writes nothing and checks that
// the contract says what t says. It writes nothing either if a Pipe channel cannot be served. env is
// entrain's environment. PreparePlatform returns a *plan.UsageError for a flag that is wrong, a
// *contract.InvalidError for a contract that is wrong, and an *output.Error if it cannot write.
func PreparePlatform(dir string, t Tree, env []string) error {
	_, err := os.Lstat(filepath.Join(dir, "input/config", contract.ResourceFile))
	exists := err == nil
	if exists {
		if err := t.useExisting(dir, env); err != nil {
			return err
		}
	}
	for i := range t.Platform.sources { // the slice is shared with the caller's tree, so Serve sees the changes
		if err := t.Platform.prepareSource(&t.Platform.sources[i]); err != nil {
			return err
		}
	}
	if exists {
		return nil
	}
	return Write(dir, t)
}

// useExisting checks that the contract in dir says what t says. It takes the RecordWrapperType of each Pipe
// channel from that contract.
func (t *Tree) useExisting(dir string, env []string) error {
	noQuestions := func(*contract.Snapshot) contract.Questions { return contract.Questions{} }
	job, problems := contract.Load(world.Photograph(context.Background(), dir, env, "", func(string) {}, noQuestions))
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
		got, want := t.Platform.sources[i].wrapper, t.Platform.Wrapper
		if want != Wrappers()[0] && want != got {
			return &plan.UsageError{Err: fmt.Errorf("--record-wrapper %s: in %s channel %s has %s\n"+
				"hint: leave the flag out, or name another directory", want, dir, hparams.Quote(s.channel), got)}
		}
	}
	return t.refuseOtherFlags(dir)
}

// refuseOtherFlags returns a *plan.UsageError if the user gave a flag and the contract in dir says something
// else.
func (t *Tree) refuseOtherFlags(dir string) error {
	if len(t.data) > 0 {
		return &plan.UsageError{Err: fmt.Errorf("--data: %s holds a contract already, "+
			"and nothing is added to it\nhint: leave the flag out, or name another directory", dir)}
	}
	t.setWrappers()
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
			return &plan.UsageError{Err: fmt.Errorf("%s: %s exists already and says something else\n"+
				"hint: leave the flags out, or name another directory", f.flags, path)}
		}
	}
	return nil
}

// Serve streams the Pipe channels of a tree after PreparePlatform has prepared it. It returns when all epochs
// of all channels have been read, or when ctx ends. The first channel that fails ends the others. The error
// is the cause of ctx's end, or an *output.Error.
func Serve(ctx context.Context, dir string, t Tree) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var channels sync.WaitGroup
	for i, s := range t.Platform.sources {
		channels.Go(func() {
			err := channel.Serve(ctx, channel.Platform{
				Prefix: filepath.Join(dir, "input/data", s.channel), Epochs: t.Platform.Epochs, Fill: s.writeEpoch,
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

// prepareSource decides what an epoch of a Pipe channel holds. It returns a *plan.UsageError if the channel
// cannot be served.
func (p *Platform) prepareSource(s *source) error {
	var wrap channel.Wrap
	if cmp.Or(s.wrapper, p.Wrapper) == "RecordIO" {
		wrap = recordio.WriteRecord
	}
	info, err := os.Stat(s.path)
	switch {
	case err != nil:
		return &plan.UsageError{Err: fmt.Errorf("--pipe %s=%s: %w", s.channel, s.path, err)}
	case info.IsDir():
		s.writeEpoch = channel.Directory(s.path, wrap)
	case p.Attributes == "":
		return &plan.UsageError{Err: fmt.Errorf("--pipe %s=%s: expected a directory; "+
			"for an augmented manifest, --attributes says what to take from it", s.channel, s.path)}
	default:
		s.writeEpoch = channel.Manifest(s.path, strings.Split(p.Attributes, ","), wrap)
	}
	return nil
}
