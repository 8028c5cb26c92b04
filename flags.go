package main

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
	format    string // of what a verb prints
	secrets   bool
	output    string // of pipe
	spec      string // empty for the image's own, if there
	tree      bootstrap.Tree
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
		text("root", "DIR", "the contract's directory; SAGEMAKER_BASE_DIR counts too", &s.root),
		oneOf("log-level", "LEVEL", "the least that is logged", &s.logLevel, []string{"debug", "info", "warn", "error"}),
		oneOf("log-format", "FORMAT", "of the log", &s.logFormat, []string{"text", "json"}),
		text("spec", "FILE", "what the algorithm takes, a TrainingSpecification (default: "+bootstrap.DefaultSpec+" if that is there)", &s.spec),
	}, more...)
}

func (c *command) waitFlags() []cli.Flag {
	o := &c.settings.options
	return c.jobFlags(
		duration("wait-timeout", "how long to wait for the peers' names", &o.WaitTimeout),
		toggle("dns-only", "look peers up without /etc/hosts", &o.DNSOnly),
		choice("rendezvous", "several hosts start and end together: on, off", "off", "on", &o.Rendezvous.On),
		port("port", "where the leader listens for the others", &o.Rendezvous.Port),
		duration("peer-timeout", "within which the loss of a host is noticed", &o.Rendezvous.PeerTimeout),
	)
}

func (c *command) slotsFlag() cli.Flag {
	return count("slots", "ranks on each host (default: as the job says, else accelerators, else 1)", &c.settings.options.Slots)
}

// trainerFlags are those of the verbs that prepare a trainer, or show it.
func (c *command) trainerFlags() []cli.Flag {
	o := &c.settings.options
	return append(c.waitFlags(),
		c.argsStyleFlag(),
		oneOf("env-style", "STYLE", "of the SM_ variables", &o.EnvStyle, bootstrap.EnvStyles()),
		toggle("gnu-no", "gnu: write --no-flag for false instead of nothing", &o.NegateFalse),
		text("hp-file", "PATH", "where to write the hyperparameters too", &o.HPFile),
		oneOf("hp-format", "FORMAT", "of --hp-file", &o.HPFormat, bootstrap.FileFormats()),
		toggle("keep-train", `keep a last word "train" of the command`, &o.KeepTrain),
		c.slotsFlag(),
		c.launcherFlag(),
		text("mpirun", "PROGRAM", "the MPI launcher, a name or a path", &o.MPIRun),
		oneOf("agent", "AGENT", "what starts its daemons on the other hosts", &o.Agent, bootstrap.Agents()),
	)
}

func (c *command) runFlags() []cli.Flag {
	o := &c.settings.options
	return append(append(c.trainerFlags(), c.stdinFlags()...),
		choice("on-peer-failure", "what to do when another host fails: stop, ignore", "stop", "ignore", &o.Rendezvous.Ignore),
		duration("grace", "from SIGTERM to SIGKILL", &o.End.Grace),
		toggle("signal-group", "send signals to the trainer's process group", &o.End.SignalGroup),
		toggle("no-capture", "do not keep the last lines of stderr for the failure file", &o.End.NoCapture),
		sig("parent-death-signal", "what to send to the trainer when entrain's own parent ends", &o.End.ParentDeath),
	)
}

func (c *command) planFlags() []cli.Flag {
	return append(c.runFlags(), c.formatFlag("text", "json", "sh"),
		toggle("show-secrets", "print secrets as they are", &c.settings.secrets))
}

// validateFlags have those that decide what run cannot serve.
func (c *command) validateFlags() []cli.Flag {
	return c.jobFlags(c.formatFlag("text", "json"), c.argsStyleFlag(), c.launcherFlag())
}

func (c *command) argsStyleFlag() cli.Flag {
	return oneOf("args-style", "STYLE", "how hyperparameters become flags", &c.settings.options.ArgsStyle, bootstrap.ArgsStyles())
}

func (c *command) launcherFlag() cli.Flag {
	return oneOf("launcher", "LAUNCHER", "what starts the trainer", &c.settings.options.Launcher, bootstrap.Launchers())
}

func (c *command) hostfileFlags() []cli.Flag {
	return c.jobFlags(c.formatFlag(bootstrap.HostfileFormats()...),
		c.slotsFlag())
}

func (c *command) scaffoldFlags() []cli.Flag {
	t := &c.settings.tree
	return append(c.platformFlags(), []cli.Flag{
		count("hosts", "how many hosts, named algo-1 …", &t.Hosts),
		text("current-host", "HOST", "the host that the tree is for", &t.CurrentHost),
		text("instance-type", "TYPE", "of the hosts", &t.InstanceType),
		&option{name: "hp", arg: "NAME=VALUE", usage: "a hyperparameter; repeat it for more", set: t.AddParam},
		&option{name: "channel", arg: "NAME[=MODE]", usage: "a channel; repeat it for more", set: t.AddChannel},
	}...)
}

// formatFlag is of one verb; the first format is its default.
func (c *command) formatFlag(allowed ...string) cli.Flag {
	c.settings.format = allowed[0]
	return oneOf("format", "FORMAT", "of what is printed", &c.settings.format, allowed)
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
