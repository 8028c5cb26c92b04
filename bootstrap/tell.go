package bootstrap

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"entrain/contract"
	"entrain/proc"
)

// The fields of JSON logs. docs/logs.md tells their meaning: other programs read them.
const (
	fieldEvent = "event"
	fieldHost  = "host"
	fieldPhase = "phase"
	fieldMS    = "ms"
)

// At puts the host's name into everything that the log says from now on.
func (d *Doer) At(host string) {
	if host != "" {
		d.log = d.log.With().Str(fieldHost, host).Logger()
	}
}

// Host is the name of this host, as far as the contract can be read; empty where it cannot.
func (in *Inspection) Host() string {
	job := in.Job
	if job == nil {
		job = contract.Identify(in.Snapshot)
	}
	if job == nil {
		return ""
	}
	return job.Host
}

// Phase begins a phase of the work; the function that it gives ends it and tells its time.
func (d *Doer) Phase(name string) (end func()) {
	start := time.Now()
	return func() { d.tellPhase(name, time.Since(start)) }
}

func (d *Doer) tellPhase(name string, took time.Duration) {
	ms := took.Milliseconds()
	d.log.Debug().Str(fieldEvent, "phase").Str(fieldPhase, name).Int64(fieldMS, ms).
		Msgf("phase %s took %d ms", name, ms)
}

// trained tells how long the trainer ran. What comes after it is the last phase.
func (d *Doer) trained(exit proc.Exit) {
	if !exit.At.IsZero() { // it was started
		d.ended = exit.At
		d.tellPhase("train", exit.Elapsed)
	}
}

// leave leaves the meeting, and tells how long the end took.
func (d *Doer) leave(m *meeting, err error) error {
	start := time.Now()
	if !d.ended.IsZero() {
		start = d.ended
	}
	err = m.leave(err)
	d.tellPhase("end", time.Since(start))
	return err
}

// Describe says at debug level what there is: the plan is one whose secrets are masked.
func (d *Doer) Describe(in *Inspection, plan *Plan) {
	job, m := in.Job, in.Job.Machine
	index, hosts := 1+slices.Index(job.Order(), job.Host), len(job.Hosts)
	d.log.Debug().Str(fieldEvent, "start").Str("version", d.version).Int("index", index).Int("hosts", hosts).
		Str("role", string(plan.Role)).Str("root", job.Root).
		Msgf("entrain %s on host %s (%d of %d), %s; the contract is in %s",
			d.version, job.Host, index, hosts, plan.Role, job.Root)
	d.log.Debug().Str(fieldEvent, "resources").
		Int("cpus", m.CPUs).Int("gpus", m.GPUs).Int("neuron_cores", m.NeuronCores).
		Msgf("resources: CPUs %d, GPUs %d, Neuron cores %d", m.CPUs, m.GPUs, m.NeuronCores)
	for _, c := range job.Channels {
		path := job.ChannelPath(c)
		d.log.Debug().Str(fieldEvent, "channel").
			Str("channel", c.Name).Str("mode", string(c.Mode)).Str("path", path).
			Msgf("channel %s: %s mode, %s", c.Name, c.Mode, path)
	}
	if len(job.Channels) == 0 {
		d.log.Debug().Str(fieldEvent, "channel").Msg("no channels")
	}
	d.describeCommand(plan.Command)
}

func (d *Doer) describeCommand(c Command) {
	words := make([]string, len(c.Argv))
	for i, word := range c.Argv {
		words[i] = ShellQuote(word)
	}
	line := cmp.Or(strings.Join(words, " "), "none, the leader launches the trainer")
	d.log.Debug().Str(fieldEvent, "command").Strs("argv", c.Argv).Str("dir", c.Dir).
		Msgf("command, in %s: %s", c.Dir, line)
}

// plural is a number and what it counts.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
