package plan

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"entrain/channel/recordio"
	"entrain/contract"
	"entrain/hparams"
)

// Pipe is what can be chosen of how a Pipe-mode channel is streamed.
type Pipe struct {
	First   int           // the epoch to begin with
	Epochs  int           // 0 for as many as come
	Timeout time.Duration // for each FIFO, until its stream begins
	Decode  string        // recordio, or empty for none
	Encode  string        // likewise
	Form    recordio.Form // of records on the side that is not RecordIO
	Bare    bool          // nothing stands between the parts of a record
}

// DefaultPipe is the Pipe of a user who chose nothing.
func DefaultPipe() Pipe { return Pipe{Timeout: 15 * time.Minute, Form: recordio.LengthPrefixed} }

// RecordForms are the words for Pipe.Form, the default first.
func RecordForms() []string { return recordio.Forms() }

// Codecs are the words for Pipe.Decode and Pipe.Encode.
func Codecs() []string { return []string{"recordio"} }

// Stream is a Pipe-mode channel to be streamed.
type Stream struct {
	Channel string
	Prefix  string // of its FIFOs
	Pipe
}

// DecideStream decides how a channel is streamed. It holds a channel against the contract: one that is not there would be waited for without end.
func DecideStream(job *contract.Job, name string, p Pipe) (*Stream, error) {
	if p.Decode != "" && p.Encode != "" {
		return nil, &UsageError{Err: errors.New("--decode and --encode: expected one of them")}
	}
	var names []string
	for _, c := range job.Channels {
		names = append(names, c.Name)
		switch {
		case c.Name != name:
		case c.Mode != contract.ModePipe:
			return nil, &UsageError{Err: fmt.Errorf("channel %s is in %s mode, expected Pipe mode\nhint: its data is in %s", hparams.Quote(name), c.Mode, job.ChannelPath(c))}
		default:
			return &Stream{Channel: name, Prefix: job.ChannelPath(c), Pipe: p}, nil
		}
	}
	hint := contract.Nearest(name, names)
	if hint == "" {
		hint = "there are " + strings.Join(names, ", ")
	}
	if names == nil {
		hint = "there are none"
	}
	return nil, &UsageError{Err: fmt.Errorf("channel %s is not in %s\nhint: %s", hparams.Quote(name), contract.InputDataFile, hint)}
}

// Converter is what is done to each epoch's bytes; nil for nothing.
func (s *Stream) Converter() func(io.Reader, io.Writer) error {
	o := recordio.Options{Form: s.Form, Bare: s.Bare}
	switch {
	case s.Decode != "":
		return func(r io.Reader, w io.Writer) error { return recordio.Decode(r, w, o) }
	case s.Encode != "":
		return func(r io.Reader, w io.Writer) error { return recordio.Encode(r, w, o) }
	}
	return nil
}
