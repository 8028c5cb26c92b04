package scaffold

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/stream"
	"entrain/bootstrap/world"
	"entrain/channel"
	"entrain/contract"
	"entrain/hparams"
)

// Platform says how Serve plays the platform's side of Pipe mode.
type Platform struct {
	Epochs       int           // the number of epochs; 0 for no limit
	Late         time.Duration // the longest delay of a FIFO
	Seed         int           // decides which FIFOs are late, and by how much
	Wrapper      string        // the RecordWrapperType of the channels, one of Wrappers
	Distribution string        // the S3DistributionType of the channels, one of Distributions
	Compression  string        // the CompressionType of the channels, one of Compressions
	DataType     string        // the S3DataType of the channels, one of DataTypes; empty: the source shows it
	Attributes   string        // the attributes to take from an augmented manifest, separated by commas
	ShuffleSeed  *uint64       // the seed of ShuffleConfig; nil for no shuffling
	maps         []channel.Map
	sources      []source
}

// source says what a channel gets.
type source struct {
	channel, path string
	wrapper       string // RecordWrapperType of the channel; empty for Platform.Wrapper
	distribution  string // S3DistributionType of the channel; empty for Platform.Distribution
	content       channel.Source
}

// Wrappers returns the values of Platform.Wrapper, the default first.
func Wrappers() []string { return []string{"None", "RecordIO"} }

// Distributions returns the values of Platform.Distribution, the default first.
func Distributions() []string { return []string{"FullyReplicated", "ShardedByS3Key"} }

// Compressions returns the values of Platform.Compression, the default first.
func Compressions() []string { return []string{"None", "Gzip"} }

// The values of Platform.DataType.
const (
	dataPrefix    = "S3Prefix"
	dataManifest  = "ManifestFile"
	dataAugmented = "AugmentedManifestFile"
)

// DataTypes returns the values of Platform.DataType.
func DataTypes() []string { return []string{dataPrefix, dataManifest, dataAugmented} }

// AddPipe adds the Pipe channel CHANNEL=PATH, which streams the files of a directory, a file, or the objects
// of a manifest.
func (t *Tree) AddPipe(text string) error {
	name, path, ok := strings.Cut(text, "=")
	if !ok || name == "" || path == "" {
		return errors.New("expected CHANNEL=PATH")
	}
	t.Platform.sources = append(t.Platform.sources, source{channel: name, path: path})
	return t.AddChannel(name + "=Pipe")
}

// AddMap adds PREFIX=DIR: the directory that stands for the objects whose URIs begin with the prefix.
func (p *Platform) AddMap(text string) error {
	prefix, dir, ok := strings.Cut(text, "=")
	if !ok || dir == "" || !strings.Contains(prefix, "://") {
		return errors.New("expected PREFIX=DIR, such as s3://bucket/=objects")
	}
	if slices.ContainsFunc(p.maps, func(m channel.Map) bool { return m.Prefix == prefix }) {
		return fmt.Errorf("prefix %s twice, expected each prefix once", hparams.Quote(prefix))
	}
	p.maps = append(p.maps, channel.Map{Prefix: prefix, Dir: dir})
	return nil
}

// SetShuffleSeed sets the seed of ShuffleConfig.
func (p *Platform) SetShuffleSeed(text string) error {
	n, err := strconv.ParseUint(text, 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return fmt.Errorf("expected a whole number from 0 to %d", math.MaxInt64)
	case err != nil:
		return errors.New("expected a whole number of at least 0")
	}
	p.ShuffleSeed = &n
	return nil
}

// SetAttributes sets the attributes to take from an augmented manifest: NAME,NAME.
func (p *Platform) SetAttributes(text string) error {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		switch {
		case name == "":
			return errors.New("one of the names is empty, expected NAME,NAME")
		case slices.Contains(names, name):
			return fmt.Errorf("%s twice, expected each name once", hparams.Quote(name))
		}
		names = append(names, name)
	}
	p.Attributes = text
	return nil
}

// Serves says whether the tree has Pipe channels that Serve must stream.
func (t *Tree) Serves() bool { return len(t.Platform.sources) > 0 }

// describePipes sets what the contract says of the Pipe channels that are served.
func (t *Tree) describePipes() {
	for i, f := range t.channels.Fields {
		for _, s := range t.Platform.sources {
			if s.channel == f.Key {
				value := &t.channels.Fields[i].Value
				value.Set("RecordWrapperType", hparams.Str(cmp.Or(s.wrapper, t.Platform.Wrapper)))
				value.Set("S3DistributionType", hparams.Str(cmp.Or(s.distribution, t.Platform.Distribution)))
			}
		}
	}
}

// PreparePlatform writes the tree to dir. If dir holds a contract already, it writes nothing and checks that
// the contract says what t says. It writes nothing either if a Pipe channel cannot be served: every object is
// looked at first. env is entrain's environment. The warnings say what a reader may not expect.
// PreparePlatform returns a *plan.UsageError for a flag or an object that is wrong, a *channel.ManifestError
// for a mistake in a manifest, a *contract.InvalidError for a contract that is wrong, and an *output.Error if
// it cannot write.
func PreparePlatform(ctx context.Context, dir string, t Tree, env []string) (warnings []string, err error) {
	hosts := t.hosts()
	slices.Sort(hosts)
	at := place{dir: dir, hosts: len(hosts), host: slices.Index(hosts, t.CurrentHost)}
	_, err = os.Lstat(filepath.Join(dir, "input/config", contract.ResourceFile))
	exists := err == nil
	if exists {
		job, err := t.useExisting(ctx, dir, env)
		if err != nil {
			return nil, err
		}
		at.hosts, at.host = len(job.Hosts), slices.Index(job.Hosts, job.Host)
	}
	var errs []error
	for i := range t.Platform.sources { // the slice is shared with the caller's tree, so Serve sees the changes
		warning, err := t.Platform.prepareSource(&t.Platform.sources[i], at)
		errs = append(errs, err)
		if warning != "" {
			warnings = append(warnings, warning)
		}
	}
	if err := errors.Join(errs...); err != nil || exists {
		return warnings, err
	}
	return warnings, Write(dir, t)
}

// useExisting checks that the contract in dir says what t says. It takes the RecordWrapperType and the
// S3DistributionType of each Pipe channel from that contract.
func (t *Tree) useExisting(ctx context.Context, dir string, env []string) (*contract.Job, error) {
	noQuestions := func(*contract.Snapshot) contract.Questions { return contract.Questions{} }
	noLook := func(string) {}
	job, problems := contract.Load(world.Photograph(ctx, dir, env, "", noLook, noQuestions))
	if len(contract.Errors(problems)) > 0 {
		return nil, &contract.InvalidError{Problems: problems}
	}
	for i, s := range t.Platform.sources {
		if _, err := plan.DecideStream(job, s.channel, plan.Pipe{}); err != nil {
			return nil, err
		}
		c, _ := job.Channel(s.channel)
		found := &t.Platform.sources[i]
		found.wrapper = cmp.Or(c.Wrapper, Wrappers()[0])
		found.distribution = cmp.Or(c.Distribution, Distributions()[0])
		err := errors.Join(
			refuseOther(dir, s.channel, "--record-wrapper", t.Platform.Wrapper, found.wrapper, Wrappers()[0]),
			refuseOther(dir, s.channel, "--s3-distribution", t.Platform.Distribution, found.distribution,
				Distributions()[0]),
		)
		if err != nil {
			return nil, &plan.UsageError{Err: err}
		}
	}
	return job, t.refuseOtherFlags(dir)
}

// refuseOther returns an error if the user gave a flag, and the contract in dir says something else of the
// channel.
func refuseOther(dir, channel, flag, want, got, byDefault string) error {
	if want == byDefault || want == got {
		return nil
	}
	return fmt.Errorf("%s %s: in %s channel %s has %s\nhint: leave the flag out, or name another directory",
		flag, want, dir, hparams.Quote(channel), got)
}

// refuseOtherFlags returns a *plan.UsageError if the user gave a flag and the contract in dir says something
// else.
func (t *Tree) refuseOtherFlags(dir string) error {
	if len(t.data) > 0 {
		return &plan.UsageError{Err: fmt.Errorf("--data: %s holds a contract already, "+
			"and nothing is added to it\nhint: leave the flag out, or name another directory", dir)}
	}
	t.describePipes()
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
				Prefix: filepath.Join(dir, "input/data", s.channel), Epochs: t.Platform.Epochs, Fill: s.content.Fill,
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
