package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"entrain/bootstrap"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v2"
)

// settings are what flags and ENTRAIN_ variables say.
type settings struct {
	root      string
	logLevel  string
	logFormat string
	options   bootstrap.Options
	secrets   bool
	slots     int

	validateFormat, planFormat, hostfileFormat string
}

func defaults() settings {
	return settings{root: defaultRoot, logLevel: "info", logFormat: "text", options: bootstrap.Defaults()}
}

// defaultRoot is where the platform puts the contract.
const defaultRoot = "/opt/ml"

// value is a flag's value: it checks a text and keeps it. One check serves the flag and its variable.
type value struct {
	set     func(text string) error
	text    string // as given, or the default
	boolean bool
}

func (v *value) String() string   { return v.text }
func (v *value) IsBoolFlag() bool { return v.boolean }

func (v *value) Set(text string) error {
	if err := v.set(text); err != nil {
		return err
	}
	v.text = text
	return nil
}

func newFlag(name, usage string, v *value) *cli.GenericFlag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: v}
}

// switchFlag is a flag without a value; cli's own reads its variables behind our back.
type switchFlag struct{ *cli.GenericFlag }

func (f *switchFlag) TakesValue() bool       { return false }
func (f *switchFlag) GetDefaultText() string { return "" }
func (f *switchFlag) String() string         { return cli.FlagStringer(f) }

func text(name, usage string, to *string) cli.Flag {
	return newFlag(name, usage, &value{text: *to, set: func(s string) error {
		if s == "" {
			return errors.New("want a value that is not empty")
		}
		*to = s
		return nil
	}})
}

func oneOf[T ~string](name, usage string, to *T, allowed []string) cli.Flag {
	choices := strings.Join(allowed, ", ")
	return newFlag(name, usage+": "+choices, &value{text: string(*to), set: func(s string) error {
		if !slices.Contains(allowed, s) {
			return errors.New("want " + choices)
		}
		*to = T(s)
		return nil
	}})
}

func toggle(name, usage string, to *bool) cli.Flag {
	return &switchFlag{newFlag(name, usage, &value{boolean: true, set: func(s string) error {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return errors.New("want true or false")
		}
		*to = b
		return nil
	}})}
}

func duration(name, usage string, to *time.Duration) cli.Flag {
	return newFlag(name, usage, &value{text: to.String(), set: func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			return errors.New("want a duration above zero such as 90s or 15m")
		}
		*to = d
		return nil
	}})
}

func count(name, usage string, to *int) cli.Flag {
	v := &value{set: func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return errors.New("want a whole number of at least 1")
		}
		*to = n
		return nil
	}}
	if *to > 0 {
		v.text = strconv.Itoa(*to)
	}
	return newFlag(name, usage, v)
}

// jobFlags are those of every verb that reads the contract, and more.
func (c *command) jobFlags(more ...cli.Flag) []cli.Flag {
	s := &c.settings
	return append([]cli.Flag{
		text("root", "the contract's directory `DIR`; SAGEMAKER_BASE_DIR counts too", &s.root),
		oneOf("log-level", "the least `LEVEL` that is logged", &s.logLevel, []string{"debug", "info", "warn", "error"}),
		oneOf("log-format", "the `FORMAT` of the log", &s.logFormat, []string{"text", "json"}),
	}, more...)
}

// trainerFlags are those of the verbs that prepare a trainer, or show it.
func (c *command) trainerFlags() []cli.Flag {
	s := &c.settings
	return append([]cli.Flag{
		oneOf("args-style", "the `STYLE` in which hyperparameters become flags", &s.options.ArgsStyle, bootstrap.ArgsStyles()),
		oneOf("env-style", "the `STYLE` of the SM_ variables", &s.options.EnvStyle, bootstrap.EnvStyles()),
		toggle("gnu-no", "gnu: write --no-flag for false instead of nothing", &s.options.NegateFalse),
		text("hp-file", "write the hyperparameters to `PATH` too", &s.options.HPFile),
		oneOf("hp-format", "the `FORMAT` of --hp-file", &s.options.HPFormat, bootstrap.FileFormats()),
		toggle("keep-train", `keep a last word "train" of the command`, &s.options.KeepTrain),
	}, c.waitFlags()...)
}

func (c *command) waitFlags() []cli.Flag {
	s := &c.settings
	return []cli.Flag{
		duration("wait-timeout", "how long `DURATION` to wait for the peers' names", &s.options.WaitTimeout),
		toggle("dns-only", "look peers up without /etc/hosts", &s.options.DNSOnly),
	}
}

// superviseFlags are those of run.
func (c *command) superviseFlags() []cli.Flag {
	s := &c.settings
	return []cli.Flag{
		duration("grace", "`DURATION` from SIGTERM to SIGKILL", &s.options.Grace),
		toggle("signal-group", "send signals to the trainer's process group", &s.options.SignalGroup),
	}
}

// formatFlag is of one verb; the first format is its default.
func (c *command) formatFlag(format *string, allowed ...string) cli.Flag {
	*format = allowed[0]
	return oneOf("format", "the `FORMAT` of what is printed", format, allowed)
}

func (c *command) hostfileFlags() []cli.Flag {
	return c.jobFlags(
		c.formatFlag(&c.settings.hostfileFormat, bootstrap.HostfileFormats()...),
		count("slots", "ranks on each host `N` (default: as the job says, else accelerators, else 1)", &c.settings.slots),
	)
}

// readEnv takes ENTRAIN_ variables for the flags that were not given.
func (c *command) readEnv(ctx *cli.Context) error {
	var errs []error
	for _, f := range ctx.Command.Flags {
		generic := genericOf(f)
		if generic == nil || ctx.IsSet(generic.Name) {
			continue
		}
		name := variable(ctx.Command.Name, generic.Name)
		if text, ok := c.getenv(name); ok {
			if err := generic.Value.Set(text); err != nil {
				errs = append(errs, fmt.Errorf("%s=%q: %w", name, text, err))
			}
		}
	}
	if base, ok := c.getenv("SAGEMAKER_BASE_DIR"); ok && c.settings.root == defaultRoot {
		c.settings.root = base // the toolkit's own name for it comes last
	}
	root, err := filepath.Abs(c.settings.root)
	if errs = append(errs, err); errors.Join(errs...) != nil {
		return &bootstrap.UsageError{Err: errors.Join(errs...)}
	}
	c.settings.root = root
	return nil
}

func genericOf(f cli.Flag) *cli.GenericFlag {
	switch f := f.(type) {
	case *cli.GenericFlag:
		return f
	case *switchFlag:
		return f.GenericFlag
	default:
		return nil
	}
}

// variable is the name of a flag's variable. Formats are words of one verb only, and so is their variable.
func variable(verb, flag string) string {
	if flag == "format" {
		flag = verb + "-" + flag
	}
	return "ENTRAIN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func (c *command) getenv(name string) (string, bool) {
	for _, kv := range c.env {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// logger writes to stderr: bare lines for people, or JSON for machines.
func (c *command) logger() zerolog.Logger {
	level, _ := zerolog.ParseLevel(c.settings.logLevel) // checked by its flag
	if c.settings.logFormat == "json" {
		return zerolog.New(c.stderr).Level(level).With().Timestamp().Str("program", "entrain").Logger()
	}
	return zerolog.New(textWriter{c.stderr}).Level(level)
}

// textWriter prints an event as "entrain: message", or "entrain: warning: message".
type textWriter struct{ w io.Writer }

func (t textWriter) Write(event []byte) (int, error) { return t.WriteLevel(zerolog.NoLevel, event) }

func (t textWriter) WriteLevel(level zerolog.Level, event []byte) (int, error) {
	var fields struct{ Message string }
	if err := json.Unmarshal(event, &fields); err != nil {
		return 0, err
	}
	prefix := "entrain: "
	switch level {
	case zerolog.WarnLevel:
		prefix += "warning: "
	case zerolog.ErrorLevel:
		prefix += "error: "
	default:
	}
	if _, err := io.WriteString(t.w, prefix+fields.Message+"\n"); err != nil {
		return 0, err
	}
	return len(event), nil
}
