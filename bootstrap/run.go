package bootstrap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"entrain/contract"
	"entrain/hostwait"
	"entrain/proc"

	"github.com/rs/zerolog"
)

// Doer carries out a Plan.
type Doer struct {
	log     zerolog.Logger
	signals *proc.Signals
}

// NewDoer takes over the process's signals: as PID 1 one that nobody catches is lost.
func NewDoer(log zerolog.Logger) (*Doer, error) {
	signals, err := proc.Catch()
	return &Doer{log: log, signals: signals}, err
}

// Relay is proc.Relay.
func Relay(args, env []string) error { return proc.Relay(args, env) }

// Run prepares and supervises the trainer. A trainer that does not succeed is a *proc.ExitError.
func (d *Doer) Run(plan *Plan) error {
	if err := d.prepare(plan); err != nil {
		return err
	}
	exit, err := proc.Run(context.Background(), d.signals, plan.cmd(), proc.Options(plan.End))
	if err == nil && exit.Code != 0 {
		err = &proc.ExitError{Program: plan.Command.Argv[0], Exit: exit}
	}
	return err
}

// Exec prepares and becomes the trainer; it returns only if that failed.
func (d *Doer) Exec(plan *Plan) error {
	if os.Getpid() == 1 {
		d.log.Warn().Msg("exec as PID 1: the trainer has no init, so signals and exit codes get lost; use entrain run, or docker run --init")
	}
	if err := d.prepare(plan); err != nil {
		return err
	}
	return proc.Exec(plan.cmd())
}

func (p *Plan) cmd() proc.Cmd { return proc.Cmd(p.Command) }

// prepare does what comes before the trainer.
func (d *Doer) prepare(plan *Plan) error {
	for _, note := range plan.Notes {
		d.log.Info().Msg(note)
	}
	for _, f := range plan.Files {
		if err := writeAtomically(f.Path, bytes.NewReader(f.Data), fs.FileMode(f.Mode)); err != nil {
			return err
		}
	}
	return d.await(plan.Wait)
}

// Await only waits until the names of the job's hosts resolve.
func (d *Doer) Await(in *Inspection, o Options) error { return d.await(decideWait(in.Job, o)) }

func (d *Doer) await(w Wait) error {
	if len(w.Hosts) == 0 {
		return nil
	}
	ctx, release := d.signals.Context(context.Background())
	defer release()
	probe, o, err := d.probe(w)
	if err != nil {
		return err
	}
	start := time.Now()
	o.Timeout = w.Timeout
	o.Progress = func(elapsed time.Duration, missing []hostwait.Missing) {
		d.log.Info().Msgf("waiting for %d of %d hosts since %s: %v", len(missing), len(w.Hosts), elapsed, missing)
	}
	if err := hostwait.All(ctx, probe, w.Hosts, o); err != nil {
		return fmt.Errorf("waiting for host names: %w", err)
	}
	d.log.Debug().Msgf("%d host names resolve after %s", len(w.Hosts), time.Since(start).Round(time.Millisecond))
	return nil
}

// probe says how to ask: the DNS, and unless that is all the hosts file beside it.
func (d *Doer) probe(w Wait) (hostwait.Probe, hostwait.Options, error) {
	servers, err := hostwait.ReadResolvConf("/etc/resolv.conf")
	if w.DNSOnly {
		if err != nil {
			return nil, hostwait.Options{}, fmt.Errorf("--dns-only: %w", err)
		}
		return hostwait.Lookup(servers.Lookup).Probe, hostwait.Options{}, nil
	}
	file := &hostwait.HostsFile{Path: "/etc/hosts"}
	if err == nil {
		file.Compare = servers.Lookup
		file.Disagree = func(host string, file, dns []netip.Addr) {
			d.log.Warn().Msgf("host %s is %v in /etc/hosts and %v in the DNS: one of them is wrong (--dns-only leaves out /etc/hosts)", host, file, dns)
		}
	}
	return hostwait.Lookup(hostwait.System).Probe, hostwait.Options{Hint: hostwait.Lookup(file.Lookup).Probe}, nil
}

// Report leaves an error in the failure file of the contract under root, unless the trainer left one there: its own
// words are better. Secrets of the environment are masked: the platform shows the file to whoever may describe the
// job. It returns the error, and with it whatever kept it from being written.
func Report(root string, env []string, err error) error {
	if err == nil {
		return nil
	}
	if _, statErr := os.Stat(root); statErr != nil {
		return err // no platform, nobody to report to
	}
	file := filepath.Join(root, "output/failure")
	if info, statErr := os.Stat(file); statErr == nil && info.Size() > 0 {
		return err
	}
	text := contract.MaskText(FailureText(err, fullDisks(root)...), env)
	return errors.Join(err, writeAtomically(file, strings.NewReader(text), 0o644))
}

// fullDisks says which of the places that a trainer writes to have no room left.
func fullDisks(root string) []string {
	const little = 1 << 20 // bytes; a full disk has less left
	var hints []string
	for _, dir := range []string{filepath.Join(root, "model"), filepath.Join(root, "output/data"), filepath.Join(root, "checkpoints"), "/tmp", "/dev/shm"} {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(dir, &fs); err == nil && fs.Blocks > 0 && fs.Bavail < max(1, little/uint64(max(1, fs.Bsize))) {
			hints = append(hints, "no space left in "+dir)
		}
	}
	return hints
}

// writeAtomically writes by way of a temporary file: nobody reads half of it, whenever this process ends.
func writeAtomically(path string, from io.Reader, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // /opt/ml is for everybody to read
		return &OutputError{Err: err}
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return &OutputError{Err: err}
	}
	_, err = io.Copy(f, from)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return &OutputError{Err: errors.Join(err, os.Remove(f.Name()))}
	}
	return nil
}
