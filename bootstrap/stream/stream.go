// Package stream moves the bytes of Pipe-mode channels. The verb pipe streams a channel to standard output or
// to a path. A Feed streams a channel to a trainer's standard input.
package stream

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"entrain/bootstrap/events"
	"entrain/bootstrap/output"
	"entrain/bootstrap/plan"
	"entrain/channel"
	"entrain/hostwait"
)

// To streams a channel to a path; if the path is empty, to the FIFOs whose paths begin with prefix; and if
// that is empty too, to standard output. If the output cannot be written, the error is an *output.Error. If
// it is a FIFO of the platform, the error is a *plan.UsageError.
func To(ctx context.Context, log events.Log, s *plan.Stream, path, prefix string) error {
	if err := checkOutput(s, path, prefix); err != nil {
		return err
	}
	if prefix != "" {
		return streamTo(ctx, log, s, channel.Prefix(prefix), prefix)
	}
	out, err := openOutput(path)
	if err != nil {
		return err
	}
	return streamTo(ctx, log, s, out, cmp.Or(path, "standard output"))
}

// Records decodes the RecordIO of files, one behind the other, and writes the records to a path, or to
// standard output if the path is empty. The error is a *plan.UsageError for a path that is no file which can
// be read, or that is the output itself.
func Records(ctx context.Context, log events.Log, p plan.Pipe, files []string, path string) error {
	if err := cmp.Or(channel.CheckFiles(files), channel.CheckReading(files, path)); err != nil {
		return &plan.UsageError{Err: err}
	}
	out, err := openOutput(path)
	if err != nil {
		return err
	}
	var file string
	warn := func(msg string) { log.Warn().Msgf("%s: %s", file, msg) }
	inform := func(msg string) { log.Info().Msgf("%s: %s", file, msg) }
	decode := p.Converter(warn, inform)
	err = channel.Files(ctx, files, out, func(path string, r io.Reader, w io.Writer) error {
		file = path
		return decode(r, w)
	})
	return OutputError(cmp.Or(path, "standard output"), err)
}

// checkOutput returns a *plan.UsageError if the verb pipe would write to a FIFO of the platform.
func checkOutput(s *plan.Stream, path, prefix string) error {
	switch {
	case path != "":
		return s.CheckOutput("--output "+path, path, channel.RealPath)
	case prefix != "":
		return s.CheckOutput("--output-prefix "+prefix, prefix+"_0", channel.RealPath)
	}
	return nil
}

// openOutput opens a path, or standard output if the path is empty.
func openOutput(path string) (*channel.Output, error) {
	if path == "" {
		return channel.Descriptor(1), nil
	}
	out, err := channel.Path(path)
	return out, OutputError(path, err)
}

// streamTo streams a channel to an output, whose name in error texts is outName.
func streamTo(
	ctx context.Context, log events.Log, s *plan.Stream, out *channel.Output, outName string,
) error {
	waiting := func(ctx context.Context, what string) {
		hostwait.Often(ctx, time.Now(), func(elapsed time.Duration) {
			log.Info().Msgf("waiting for %s (%s so far)", what, elapsed)
		})
	}
	for _, warning := range s.Warnings {
		log.Warn().Msg(warning)
	}
	for _, note := range s.Notes {
		log.Info().Msg(note)
	}
	warn := func(msg string) { log.Warn().Msgf("channel %s: %s", s.Channel, msg) }
	inform := func(msg string) { log.Info().Msgf("channel %s: %s", s.Channel, msg) }
	return OutputError(outName, channel.Stream(ctx, channel.Options{
		Prefix: s.Prefix, First: s.First, Epochs: s.Epochs, Timeout: s.Timeout,
		Output: out, Convert: s.Converter(warn, inform), Waiting: waiting,
		StallTimeout: s.StallTimeout, Stalls: []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute},
		Stalled: func(stall channel.Stall) { tellStall(log, stall, outName) },
		Ended: func(e channel.Epoch) {
			log.Epoch(s.Channel, e.Number, e.Bytes, e.Elapsed, e.Whole, ctx.Err() != nil)
		},
	}))
}

// tellStall logs that a stream stands still.
func tellStall(log events.Log, s channel.Stall, outName string) {
	elapsed := s.Elapsed.Round(time.Second)
	if s.Reader {
		log.Info().Msgf("%s has not been read for %s, %d bytes into %s", outName, elapsed, s.Bytes, s.Path)
		return
	}
	log.Warn().Msgf("%s has given no data for %s, after %d bytes", s.Path, elapsed, s.Bytes)
}

// OutputError turns the error of a failed write into an *output.Error. It returns any other error as it is.
// In its text the output is called outName, unless the error has a path, which says more.
func OutputError(outName string, err error) error {
	if _, ok := errors.AsType[*channel.WriteError](err); ok {
		if e, named := errors.AsType[*fs.PathError](err); named {
			outName = e.Path
		}
		return &output.Error{What: outName, Err: err}
	}
	return err
}
