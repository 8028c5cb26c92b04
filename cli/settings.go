//go:build linux

package cli

import (
	"errors"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"entrain/bootstrap"
	"entrain/bootstrap/plan"
)

// settings are the values of the flags and variables that several verbs have.
type settings struct {
	root      string // the contract's directory; absolute once checkRoot has been called
	spec      string // the file with the TrainingSpecification; empty for the image's own, if present
	logLevel  string
	logFormat string
	options   plan.Options
}

// defaults sets the root from the environment at once: a mistake in the flags is reported under that root.
func defaults(env []string) settings {
	root := bootstrap.DefaultRoot
	// The first name is the toolkit's. The second is entrain's own, and wins.
	for _, name := range []string{"SAGEMAKER_BASE_DIR", "ENTRAIN_ROOT"} {
		if dir, ok := plan.Getenv(env, name); ok {
			root = dir
		}
	}
	return settings{root: root, logLevel: "info", logFormat: "text", options: plan.Defaults()}
}

// checkRoot makes the root absolute. It adds its errors to those that were found before.
func (s *settings) checkRoot(errs []error) error {
	if s.root == "" {
		errs = append(errs, errors.New(`SAGEMAKER_BASE_DIR="": expected a directory`))
	}
	root, err := filepath.Abs(s.root)
	if err := errors.Join(append(errs, err)...); err != nil {
		return err
	}
	s.root = root
	return nil
}

// jobFlags are the flags of every verb that reads the contract. More flags follow them.
func (s *settings) jobFlags(more ...cli.Flag) []cli.Flag {
	return append(append(s.contractFlags(),
		text("spec", "FILE", "check the job against this TrainingSpecification (default: "+
			bootstrap.DefaultSpec+", if present)", &s.spec),
	), more...)
}

// contractFlags say which contract to read, and how to log.
func (s *settings) contractFlags() []cli.Flag {
	return append([]cli.Flag{
		text("root", "DIR", "contract directory (default: $SAGEMAKER_BASE_DIR, else "+bootstrap.DefaultRoot+")",
			&s.root).withoutDefault(),
	}, s.logFlags()...)
}

// logFlags say how to log.
func (s *settings) logFlags() []cli.Flag {
	return []cli.Flag{
		oneOf("log-level", "LEVEL", "log nothing below this level", &s.logLevel,
			[]string{"debug", "info", "warn", "error"}),
		oneOf("log-format", "FORMAT", "log format", &s.logFormat, []string{"text", "json"}),
	}
}

// nameFlags say how to look up the names of the hosts.
func (s *settings) nameFlags() []cli.Flag {
	return []cli.Flag{
		duration("wait-timeout", "how long to wait for all hosts, in total", &s.options.WaitTimeout),
		toggle("dns-only", "look the hosts up without /etc/hosts", &s.options.DNSOnly),
	}
}

// waitFlags are the flags of every verb that waits for other hosts, or shows the wait.
func (s *settings) waitFlags() []cli.Flag {
	o := &s.options
	return append(s.jobFlags(s.nameFlags()...),
		choice("rendezvous", "start and end together with the other hosts", "off", "on", &o.Rendezvous.On),
		port("port", "port that the leader listens on for the other hosts", &o.Rendezvous.Port),
		toggle("require-key", "do not start several hosts without a cluster key", &o.Rendezvous.RequireKey),
		duration("peer-timeout", "how long a host may be away before it counts as lost", &o.Rendezvous.PeerTimeout),
	)
}

// trainerFlags are the flags of every verb that prepares a trainer, or shows it.
func (s *settings) trainerFlags(dryRun *bool) []cli.Flag {
	o := &s.options
	return append(append(s.waitFlags(), s.styleFlags()...),
		toggle("dry-run", "print the plan and end, without any effect", dryRun),
		toggle("keep-train", `keep "train" as the last word of the command`, &o.KeepTrain),
		s.slotsFlag(),
		s.launcherFlag(),
		choice("install", "install what the job's own program needs", "off", "on", &o.Install),
		count("code-max-mb", "megabytes that an archive of code may unpack to", &o.Source.MB),
		count("code-max-files", "files that an archive of code may hold", &o.Source.Files),
		count("code-max-ratio", "bytes that each byte of an archive of code may unpack to", &o.Source.Ratio),
		s.mpirunFlag(),
		oneOf("agent", "AGENT", "start the MPI launcher's daemons on other hosts by this agent",
			&o.Agent, plan.Agents()),
	)
}

func (s *settings) mpirunFlag() cli.Flag {
	return text("mpirun", "PROGRAM", "name or path of the MPI launcher", &s.options.MPIRun)
}

// runFlags are the flags of run and of plan, which shows what run would do.
func (s *settings) runFlags(dryRun *bool) []cli.Flag {
	o := &s.options
	return append(append(s.trainerFlags(dryRun), s.stdinFlags()...),
		choice("on-peer-failure", "what to do when another host fails", "stop", "ignore", &o.Rendezvous.Ignore),
		duration("launch-timeout", "how long the MPI launcher may take to start the ranks of every host",
			&o.LaunchTimeout),
		natural("max-restarts", "start all trainers again this often after one has failed", &o.MaxRestarts),
		oneOf("until", "WHO", "end the job with all hosts, or once the leader's trainer has ended with 0",
			&o.Until, plan.Untils()),
		toggle("tag-output", "put the rank in front of each line of output, as [rank 3]", &o.TagOutput),
		duration("grace", "time from SIGTERM to SIGKILL", &o.End.Grace),
		toggle("signal-group", "send signals to the trainer's process group", &o.End.SignalGroup),
		toggle("no-capture", "do not keep the last lines of stderr for the failure file", &o.End.NoCapture),
		signalOption("parent-death-signal", "send this signal to the trainer when entrain's own parent ends",
			&o.End.ParentDeath),
	)
}

// stdinFlags are the flags of a trainer that reads channels from its standard input and from FIFOs.
func (s *settings) stdinFlags() []cli.Flag {
	return append(needOneOf([]string{"stdin-channel", "feed"}, s.streamFlags()...),
		&option{
			name: "feed", valueName: "CHANNEL=FIFO", repeats: true, set: s.addFeed,
			usage: "stream this Pipe-mode channel to a FIFO that the trainer opens once an epoch; repeat it for more",
		},
		text("stdin-channel", "CHANNEL", "stream this Pipe-mode channel to the trainer's standard input",
			&s.options.Stdin))
}

// addFeed adds a channel that the trainer reads from a FIFO.
func (s *settings) addFeed(text string) error {
	feed, err := plan.ParseFeed(text)
	if err == nil {
		s.options.Feeds = append(s.options.Feeds, feed)
	}
	return err
}

// streamFlags say how a Pipe-mode channel is streamed.
func (s *settings) streamFlags() []cli.Flag {
	p := &s.options.Pipe
	return append([]cli.Flag{
		count("epochs", "stream this many epochs (default: all that come)", &p.Epochs),
		natural("first-epoch", "number of the first epoch", &p.First),
		duration("fifo-timeout", "how long to wait for each FIFO until its stream begins", &p.Timeout),
		duration("stream-timeout", "how long a stream may give no byte once it has begun (default: no limit)",
			&p.StallTimeout).withoutDefault(),
		oneOf("decode", "FORMAT", "decode the stream into records of --form", &p.Decode, plan.Codecs()),
		oneOf("encode", "FORMAT", "encode records of --form into the stream", &p.Encode, plan.Codecs()),
	}, needOneOf([]string{"decode", "encode"}, s.recordFlags()...)...)
}

// recordFlags say what RecordIO is converted to or from.
func (s *settings) recordFlags() []cli.Flag {
	p := &s.options.Pipe
	return []cli.Flag{
		oneOf("form", "FORM", "how records are separated outside RecordIO", &p.Form, plan.RecordForms()),
		oneOf("joint", "JOINT", "what joins the parts of a record; dmlc-core (MXNet, XGBoost) leaves out the magic",
			&p.Joint, plan.Joints()),
		size("max-record", "take records up to this size", &p.MaxRecord),
	}
}

// styleFlags say how hyperparameters become flags and variables.
func (s *settings) styleFlags() []cli.Flag {
	o := &s.options
	onlyGNU := append(boolFlags(&o.GNU.Bool),
		toggle("gnu-empty", "with --args-style gnu, write --NAME= for an empty list (default: no flag)",
			&o.GNU.Empty))
	short := withNeededWords([]string{"gnu", "json"},
		toggle("gnu-short", "with --args-style gnu or json, write a name of one letter as -X VALUE "+
			"(default: --X=VALUE)", &o.GNU.Short))
	gnu := append(withNeededWords([]string{"gnu"}, onlyGNU...), short...)
	return append(needOneOf([]string{"args-style"}, gnu...),
		oneOf("args-style", "STYLE", "write hyperparameters as flags in this style",
			&o.ArgsStyle, plan.ArgsStyles()),
		oneOf("env-style", "STYLE", "set these SM_ variables", &o.EnvStyle, plan.EnvStyles()),
		text("hp-file", "PATH", "also write the hyperparameters to PATH", &o.HPFile),
		oneOf("hp-format", "FORMAT", "format of --hp-file (default: by its ending, else json)",
			&o.HPFormat, plan.FileFormats()),
	)
}

// boolFlags are --gnu-bool and its old name --gnu-no. It is an error if the two disagree, unless one is a
// flag and the other a variable: then the flag wins.
func boolFlags[T ~string](to *T) []cli.Flag {
	const no = "no"
	var old bool
	flags := []cli.Flag{
		oneOf("gnu-bool", "FORM", "with --args-style gnu, write true and false as --NAME and nothing (flag), "+
			"--NAME and --no-NAME (no), or --NAME=true and --NAME=false (value)", to, plan.BoolForms()),
		toggle("gnu-no", "the old name of --gnu-bool "+no, &old),
	}
	both := options(flags)
	for i, o := range both {
		set, other := o.set, both[1-i]
		o.set = func(text string) error {
			form, isOld := *to, old
			err := set(text)
			flagWins := o.fromVariable && other.given && !other.fromVariable
			if flagWins && (i == 1 || isOld) {
				*to, old = form, isOld
				return err
			}
			if old && both[0].given && *to != no {
				return errors.New("--gnu-no means --gnu-bool no: give one of the two only")
			}
			if old {
				*to = no
			}
			return err
		}
	}
	return flags
}

func (s *settings) launcherFlag() cli.Flag {
	return oneOf("launcher", "LAUNCHER", "start the trainer by this launcher",
		&s.options.Launcher, plan.Launchers())
}

func (s *settings) slotsFlag() cli.Flag {
	const usage = "ranks on each host (default: as the job says, else one for each accelerator, else 1)"
	return countUpTo(plan.MaxSlots, plan.WhyMaxSlots, "slots", usage, &s.options.Slots)
}

// formatFlag is the flag --format of one verb. Its target holds the default.
func formatFlag(to *string, allowed []string) cli.Flag {
	return oneOf("format", "FORMAT", "output format", to, allowed)
}
