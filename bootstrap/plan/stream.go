package plan

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"entrain/channel/recordio"
	"entrain/contract"
	"entrain/hparams"
)

// Pipe holds the user's choices for streaming a Pipe-mode channel.
type Pipe struct {
	First   int            // the number of the first epoch
	Epochs  int            // the number of epochs; 0 for no limit
	Timeout time.Duration  // for each FIFO, until its stream begins
	Decode  string         // one of Codecs, or empty for none
	Encode  string         // one of Codecs, or empty for none
	Form    recordio.Form  // the form of records on the side that is not RecordIO
	Joint   recordio.Joint // what joins the parts of a record
	// Doubtful is the joint for recordio.Auto where a record does not show its writer. Empty means Nothing, as
	// for the platform's own writers.
	Doubtful recordio.Joint
	// MaxRecord is the largest record in bytes.
	MaxRecord int64
	// StallTimeout is how long a stream may give no byte once it has begun; 0 for no limit.
	StallTimeout time.Duration
}

// DefaultPipe returns the Pipe of a user who has chosen nothing.
func DefaultPipe() Pipe {
	return Pipe{
		Timeout: 15 * time.Minute, Form: recordio.LengthPrefixed, Joint: recordio.Auto,
		MaxRecord: recordio.DefaultMaxRecord,
	}
}

// OfFiles returns the Pipe that decodes the RecordIO of files. The platform splits no record there: if one
// has parts, it is most likely of dmlc-core.
func (p Pipe) OfFiles() Pipe {
	p.Decode, p.Doubtful = Codecs()[0], recordio.Magic
	return p
}

// RecordForms returns the values of Pipe.Form, the default first.
func RecordForms() []string { return recordio.Forms() }

// Joints returns the values of Pipe.Joint, the default first.
func Joints() []string { return recordio.Joints() }

// Codecs returns the values of Pipe.Decode and Pipe.Encode.
func Codecs() []string { return []string{"recordio"} }

// Stream is a Pipe-mode channel to be streamed.
type Stream struct {
	Channel string
	Prefix  string // the path of a FIFO without its epoch
	FIFO    string // the FIFO that the trainer reads; empty for its standard input, and for the verb pipe
	// Platform are the paths of the FIFOs of all Pipe-mode channels without their epochs. The platform makes
	// these FIFOs, so nothing else may be written there.
	Platform []string
	Pipe
	Warnings []string // messages for the log, at level warn
	Notes    []string // messages for the log, at level info
}

// DecideStream decides how a channel is streamed. It returns a *UsageError if the contract has no such
// channel or gives it another mode: entrain would wait in vain for the FIFO of such a channel.
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
			return nil, &UsageError{Err: fmt.Errorf("channel %s is in %s mode, expected Pipe mode\n"+
				"hint: its data is in %s", hparams.Quote(name), c.Mode, job.ChannelPath(c))}
		default:
			s := &Stream{Channel: name, Prefix: job.ChannelPath(c), Platform: pipePrefixes(job), Pipe: p}
			s.compareWrapper(c.Wrapper)
			return s, nil
		}
	}
	hint := contract.Nearest(name, names)
	if hint == "" {
		hint = "there are " + strings.Join(names, ", ")
	}
	if names == nil {
		hint = "there are none"
	}
	return nil, &UsageError{Err: fmt.Errorf("channel %s is not in %s\nhint: %s",
		hparams.Quote(name), contract.InputDataFile, hint)}
}

// pipePrefixes returns the paths of the FIFOs of all Pipe-mode channels without their epochs.
func pipePrefixes(job *contract.Job) (prefixes []string) {
	for _, c := range job.Channels {
		if c.Mode == contract.ModePipe {
			prefixes = append(prefixes, job.ChannelPath(c))
		}
	}
	return prefixes
}

// CheckOutput returns a *UsageError if an output is a FIFO of the platform. flag is what the user
// wrote. realPath makes a path absolute, and follows its links.
func (s *Stream) CheckOutput(flag, output string, realPath func(string) string) error {
	found := realPath(output)
	for _, prefix := range s.Platform {
		number, ok := strings.CutPrefix(found, realPath(prefix)+"_")
		if ok && number != "" && strings.Trim(number, "0123456789") == "" {
			return &UsageError{Err: fmt.Errorf("%s: the platform makes the FIFOs %s_N, expected another path",
				flag, prefix)}
		}
	}
	return nil
}

// compareWrapper compares the RecordWrapperType of the channel with what the user asks for.
func (s *Stream) compareWrapper(wrapper string) {
	name := "channel " + hparams.Quote(s.Channel)
	switch {
	case wrapper == "RecordIO" && s.Encode != "":
		s.Warnings = append(s.Warnings, name+" has RecordWrapperType RecordIO, "+
			"so --encode wraps its records once more\nhint: leave out --encode")
	case wrapper == "RecordIO" && s.Decode == "":
		s.Notes = append(s.Notes, name+" has RecordWrapperType RecordIO, "+
			"and its records are passed on as they are\nhint: --decode recordio takes them out of RecordIO")
	case wrapper == "None" && s.Decode != "":
		s.Notes = append(s.Notes, name+" has RecordWrapperType None, "+
			"so --decode needs objects that are RecordIO themselves")
	}
}

// Converter returns the function that converts the bytes of an epoch. It is nil if they stay as they are. The
// function calls warn or inform with what the user should know of the stream.
func (p *Pipe) Converter(warn, inform func(string)) func(io.Reader, io.Writer) error {
	o := recordio.Options{
		Form: p.Form, Joint: p.Joint, Doubtful: p.Doubtful, MaxRecord: p.MaxRecord,
		Tell: func(n recordio.Notice) {
			if n.Warning {
				warn(n.Msg)
			} else {
				inform(n.Msg)
			}
		},
	}
	switch {
	case p.Decode != "":
		return recordio.NewDecoder(o).Decode
	case p.Encode != "":
		return func(r io.Reader, w io.Writer) error { return recordio.Encode(r, w, o) }
	}
	return nil
}

// Feed is a channel that the trainer reads from a FIFO.
type Feed struct{ Channel, FIFO string }

// ParseFeed reads CHANNEL=FIFO.
func ParseFeed(text string) (Feed, error) {
	name, fifo, ok := strings.Cut(text, "=")
	if !ok || name == "" || fifo == "" {
		return Feed{}, errors.New("expected CHANNEL=FIFO")
	}
	return Feed{Channel: name, FIFO: fifo}, nil
}

// decideStreams decides how the channels are streamed that the trainer reads from its standard input and from
// FIFOs.
func (p *Plan) decideStreams(job *contract.Job, snap *contract.Snapshot, o Options) (err error) {
	channels, fifos := map[string]bool{}, map[string]bool{}
	if o.Stdin != "" {
		if p.Stdin, err = DecideStream(job, o.Stdin, o.Pipe); err != nil {
			return err
		}
		channels[o.Stdin] = true
		p.Stdin.noteEndless("the trainer's standard input")
	}
	for _, f := range o.Feeds {
		s, err := DecideStream(job, f.Channel, o.Pipe)
		if err != nil {
			return err
		}
		s.FIFO = absolute(snap.Dir, f.FIFO)
		if channels[f.Channel] || fifos[s.FIFO] {
			return &UsageError{Err: fmt.Errorf("--feed %s=%s: expected each channel and each FIFO once, "+
				"--stdin-channel included", f.Channel, f.FIFO)}
		}
		err = s.CheckOutput(fmt.Sprintf("--feed %s=%s", f.Channel, f.FIFO), s.FIFO, path.Clean)
		if err != nil {
			return err
		}
		channels[f.Channel], fifos[s.FIFO] = true, true
		p.Feeds = append(p.Feeds, s)
	}
	return nil
}

// noteEndless notes that a stream has no end.
func (s *Stream) noteEndless(reader string) {
	if s.Epochs == 0 {
		s.Notes = append(s.Notes, reader+" has no end: without --epochs one epoch follows the other\n"+
			"hint: --epochs N ends it after N epochs")
	}
}

// refuseStreams returns a *UsageError if the trainer reads channels by entrain. who says who cannot.
func (p *Plan) refuseStreams(who string) error {
	switch {
	case p.Stdin != nil:
		return &UsageError{Err: fmt.Errorf("--stdin-channel: %s no common standard input\n%s", who, channelOfRank)}
	case p.Feeds != nil:
		return &UsageError{Err: fmt.Errorf("--feed: %s no common FIFO\n%s", who, channelOfRank)}
	}
	return nil
}
