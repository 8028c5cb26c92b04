//go:build linux

package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"entrain/bootstrap"
)

// settings are what flags and ENTRAIN_ variables say.
type settings struct {
	root      string
	logLevel  string
	logFormat string
	options   bootstrap.Options
	format    string // the output format of a verb
	secrets   bool
	all       bool // of plan: the inherited environment too; of scaffold: a tree for each host
	dryRun    bool
	json      bool   // of version
	output    string // of pipe
	spec      string // empty for the image's own, if there
	tree      bootstrap.Tree
	owner     *bootstrap.Owner // of the cluster key; nil for this user
}

// defaults holds the root that counts until flags are read: a mistake in those has to be reported somewhere.
func defaults(env []string) settings {
	root := bootstrap.DefaultRoot
	for _, name := range []string{"SAGEMAKER_BASE_DIR", "ENTRAIN_ROOT"} { // the toolkit's name for it, and ours
		if dir, ok := bootstrap.Getenv(env, name); ok {
			root = dir
		}
	}
	return settings{root: root, logLevel: "info", logFormat: "text", options: bootstrap.Defaults(), tree: bootstrap.DefaultTree()}
}

// jobFlags are those of every verb that reads the contract.
func (c *command) jobFlags(more ...cli.Flag) []cli.Flag {
	s := &c.settings
	return append([]cli.Flag{
		text("root", "DIR", "contract directory (default: $SAGEMAKER_BASE_DIR, else "+bootstrap.DefaultRoot+")",
			&s.root).plain(),
		oneOf("log-level", "LEVEL", "log nothing below this level", &s.logLevel,
			[]string{"debug", "info", "warn", "error"}),
		oneOf("log-format", "FORMAT", "log format", &s.logFormat, []string{"text", "json"}),
		text("spec", "FILE", "check the job against this TrainingSpecification (default: "+
			bootstrap.DefaultSpec+", if present)", &s.spec),
	}, more...)
}

func (c *command) waitFlags() []cli.Flag {
	o := &c.settings.options
	return c.jobFlags(
		duration("wait-timeout", "how long to wait for all hosts, in total", &o.WaitTimeout),
		toggle("dns-only", "look the hosts up without /etc/hosts", &o.DNSOnly),
		choice("rendezvous", "start and end together with the other hosts", "off", "on", &o.Rendezvous.On),
		port("port", "port that the leader listens on for the other hosts", &o.Rendezvous.Port),
		duration("peer-timeout", "how long a host may be away before it counts as lost", &o.Rendezvous.PeerTimeout),
	)
}

func (c *command) slotsFlag() cli.Flag {
	const usage = "ranks on each host (default: as the job says, else one for each accelerator, else 1)"
	return count("slots", usage, &c.settings.options.Slots)
}

// trainerFlags are those of the verbs that prepare a trainer, or show it.
func (c *command) trainerFlags() []cli.Flag {
	o := &c.settings.options
	return append(c.waitFlags(),
		toggle("dry-run", "print the plan and end, without any effect", &c.settings.dryRun),
		c.argsStyleFlag(),
		oneOf("env-style", "STYLE", "set these SM_ variables", &o.EnvStyle, bootstrap.EnvStyles()),
		toggle("gnu-no", "with --args-style gnu, write --no-NAME for false (default: leave the flag out)",
			&o.NegateFalse),
		text("hp-file", "PATH", "also write the hyperparameters to PATH", &o.HPFile),
		oneOf("hp-format", "FORMAT", "format of --hp-file (default: by its ending, else json)",
			&o.HPFormat, bootstrap.FileFormats()),
		toggle("keep-train", `keep "train" as the last word of the command`, &o.KeepTrain),
		c.slotsFlag(),
		c.launcherFlag(),
		text("mpirun", "PROGRAM", "name or path of the MPI launcher", &o.MPIRun),
		oneOf("agent", "AGENT", "start the MPI launcher's daemons on other hosts by this agent",
			&o.Agent, bootstrap.Agents()),
	)
}

func (c *command) runFlags() []cli.Flag {
	o := &c.settings.options
	return append(append(c.trainerFlags(), c.stdinFlags()...),
		choice("on-peer-failure", "what to do when another host fails", "stop", "ignore", &o.Rendezvous.Ignore),
		duration("grace", "time from SIGTERM to SIGKILL", &o.End.Grace),
		toggle("signal-group", "send signals to the trainer's process group", &o.End.SignalGroup),
		toggle("no-capture", "do not keep the last lines of stderr for the failure file", &o.End.NoCapture),
		sig("parent-death-signal", "send this signal to the trainer when entrain's own parent ends",
			&o.End.ParentDeath),
	)
}

func (c *command) planFlags() []cli.Flag {
	return append(c.runFlags(), c.formatFlag("text", "json", "sh"),
		toggle("all", "in text, show the inherited environment too (json and sh always hold it)", &c.settings.all),
		toggle("show-secrets", "show secrets instead of ******", &c.settings.secrets))
}

// validateFlags have those that decide what run cannot serve.
func (c *command) validateFlags() []cli.Flag {
	return c.jobFlags(c.formatFlag("text", "json"), c.argsStyleFlag(), c.launcherFlag())
}

func (c *command) argsStyleFlag() cli.Flag {
	return oneOf("args-style", "STYLE", "write hyperparameters as flags in this style", &c.settings.options.ArgsStyle, bootstrap.ArgsStyles())
}

func (c *command) launcherFlag() cli.Flag {
	return oneOf("launcher", "LAUNCHER", "start the trainer by this launcher", &c.settings.options.Launcher, bootstrap.Launchers())
}

func (c *command) hostfileFlags() []cli.Flag {
	return c.jobFlags(c.formatFlag(bootstrap.HostfileFormats()...),
		c.slotsFlag())
}

// formatFlag is of one verb; the first format is its default.
func (c *command) formatFlag(allowed ...string) cli.Flag {
	c.settings.format = allowed[0]
	return oneOf("format", "FORMAT", "output format", &c.settings.format, allowed)
}

// readEnv takes ENTRAIN_ variables for the flags that were not given.
func (c *command) readEnv(ctx *cli.Context) error {
	var errs []error
	called := given(ctx.Command.Flags)
	for _, f := range ctx.Command.Flags {
		o, ours := f.(*option)
		if !ours || o.given {
			continue
		}
		name := variable(ctx.Command.Name, o.name)
		if text, ok := bootstrap.Getenv(c.env, name); ok {
			if err := o.Set(text); err != nil {
				errs = append(errs, fmt.Errorf("%s=%q: %w", name, text, err))
			}
		}
	}
	errs = append(errs, idle(called, given(ctx.Command.Flags))...)
	c.unread(ctx)
	if c.settings.root == "" {
		errs = append(errs, errors.New(`SAGEMAKER_BASE_DIR="": expected a directory`))
	}
	root, err := filepath.Abs(c.settings.root)
	if errs = append(errs, err); errors.Join(errs...) != nil {
		return &bootstrap.UsageError{Err: errors.Join(errs...)}
	}
	c.settings.root = root
	return nil
}

// variable is the name of a flag's variable. Formats are words of one verb only, and so is their variable.
func variable(verb, flag string) string {
	if flag == "format" {
		flag = verb + "-" + flag
	}
	return "ENTRAIN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
