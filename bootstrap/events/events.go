// Package events writes the log of a process. Other programs read its JSON, whose fields docs/logs.md
// describes.
package events

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"entrain/bootstrap/plan"
	"entrain/contract"

	"github.com/rs/zerolog"
)

// The names of fields that several messages share.
const (
	fieldEvent = "event"
	fieldHost  = "host"
	fieldPhase = "phase"
	fieldMS    = "ms" // a duration in milliseconds
)

// Log is the log of one process.
type Log struct{ zerolog.Logger }

// At returns a log that puts the host's name into every message. An empty name returns the log as it is.
func (l Log) At(host string) Log {
	if host == "" {
		return l
	}
	return Log{l.With().Str(fieldHost, host).Logger()}
}

// Phase begins a phase of the work. The function end ends the phase and logs how long it took.
func (l Log) Phase(name string) (end func()) {
	start := time.Now()
	return func() { l.Took(name, time.Since(start)) }
}

// Took logs how long a phase took.
func (l Log) Took(phase string, took time.Duration) {
	ms := took.Milliseconds()
	l.Debug().Str(fieldEvent, "phase").Str(fieldPhase, phase).Int64(fieldMS, ms).
		Msgf("phase %s took %d ms", phase, ms)
}

// Epoch logs how far a Pipe channel has been streamed in one epoch. whole says that all of the epoch has
// come, and stopped that a stop has ended the stream; otherwise the reader has ended the epoch.
func (l Log) Epoch(channel string, epoch int, bytes int64, took time.Duration, whole, stopped bool) {
	event, verb := l.Debug(), "took"
	switch {
	case whole:
	case stopped:
		event, verb = l.Info(), "was stopped after"
	default:
		verb = "was left after"
	}
	rate := float64(bytes) / 1e6 / max(took.Seconds(), 1e-9)
	event.Str(fieldEvent, "epoch").Str("channel", channel).Int("epoch", epoch).Int64("bytes", bytes).
		Int64(fieldMS, took.Milliseconds()).
		Msgf("channel %s: epoch %d %s %.3f s: %d bytes, %.1f MB/s",
			channel, epoch, verb, took.Seconds(), bytes, rate)
}

// Plan logs the notes and the remarks of a plan.
func (l Log) Plan(p *plan.Plan) {
	for _, note := range p.Notes {
		l.Info().Str(fieldEvent, "note").Msg(note)
	}
	for _, remark := range p.Remarks {
		l.Debug().Str(fieldEvent, "note").Msg(remark)
	}
}

// Unpacked logs that the job's code has been unpacked.
func (l Log) Unpacked(s *plan.Source) {
	l.Info().Str(fieldEvent, "code").Str("archive", s.Archive).Str("dir", s.Dir).
		Msgf("unpacked %s into %s", s.Archive, s.Dir)
}

// Installing logs that a command installs what the job's code in dir needs.
func (l Log) Installing(words []string, dir string) {
	l.Info().Str(fieldEvent, "install").Strs("argv", words).Str("dir", dir).
		Msgf("installing what %s needs: %s", dir, strings.Join(words, " "))
}

// Waiting logs that some hosts are not ready yet. missing and of are numbers of hosts, elapsed and left are
// the times since the start and until the time-out, and names are the names of the missing hosts as text.
func (l Log) Waiting(missing, of int, elapsed, left time.Duration, names string) {
	l.Info().Str(fieldEvent, "waiting").Int("missing", missing).Int64(fieldMS, elapsed.Milliseconds()).
		Msgf("still waiting for %d of %d hosts after %s, giving up in %s: %s", missing, of, elapsed, left, names)
}

// LeftBehind warns of processes that a program has left behind and that SIGKILL has not ended.
func (l Log) LeftBehind(processes int, program string) {
	l.Warn().Str(fieldEvent, "left").
		Msgf("%s that %s left behind could not be killed", Plural(processes, "process", "processes"), program)
}

// Describe logs, at debug level, the version, the job, its resources, its channels and the command. The
// secrets of the plan must be masked already.
func (l Log) Describe(version string, job *contract.Job, p *plan.Plan) {
	m := job.Machine
	index, hosts := 1+slices.Index(job.Order(), job.Host), len(job.Hosts)
	l.Debug().Str(fieldEvent, "start").Str("version", version).Int("index", index).Int("hosts", hosts).
		Str("role", string(p.Role)).Str("root", job.Root).
		Msgf("entrain %s on host %s (%d of %d), %s; the contract is in %s",
			version, job.Host, index, hosts, p.Role, job.Root)
	l.Debug().Str(fieldEvent, "resources").
		Int("cpus", m.CPUs).Int("gpus", m.GPUs).Int("neuron_cores", m.NeuronCores).
		Msgf("resources: CPUs %d, GPUs %d, Neuron cores %d", m.CPUs, m.GPUs, m.NeuronCores)
	for _, c := range job.Channels {
		path := job.ChannelPath(c)
		l.Debug().Str(fieldEvent, "channel").
			Str("channel", c.Name).Str("mode", string(c.Mode)).Str("path", path).
			Msgf("channel %s: %s mode, %s", c.Name, c.Mode, path)
	}
	if len(job.Channels) == 0 {
		l.Debug().Str(fieldEvent, "channel").Msg("no channels")
	}
	l.describeCommand(p.Command)
}

// describeCommand logs the command of this host.
func (l Log) describeCommand(c plan.Command) {
	words := make([]string, len(c.Argv))
	for i, word := range c.Argv {
		words[i] = plan.ShellQuote(word)
	}
	line := cmp.Or(strings.Join(words, " "), "none, the leader launches the trainer")
	l.Debug().Str(fieldEvent, "command").Strs("argv", c.Argv).Str("dir", c.Dir).
		Msgf("command, in %s: %s", c.Dir, line)
}

// Plural is a number with the noun that fits it, such as "1 process" or "2 processes".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
