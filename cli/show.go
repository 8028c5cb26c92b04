//go:build linux

package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// plan prints what run would do. Data that is not there does not keep it from that: a contract can be looked at
// without its data.
func (c *command) plan(ctx *cli.Context) error {
	if err := c.onlyTrain(ctx); err != nil {
		return err
	}
	request := c.request(bootstrap.ScopeLaunch)
	request.DataMayLack = true
	in := c.inspect(request)
	c.warn(in)
	if err := in.Err(); err != nil {
		return err
	}
	plan, err := c.lookAt(in)
	if err != nil {
		return err
	}
	switch c.settings.format {
	case "json":
		return c.printJSON(shownPlan(plan))
	case "sh":
		return c.print(planShell(plan))
	default:
		return c.print(planText(plan, c.settings.all))
	}
}

// dryRun prints the plan of a run that does nothing else: no file is written, no host is waited for or told.
func (c *command) dryRun(ctx *cli.Context) error {
	in, err := c.inspectBy(c.newDoer(), bootstrap.ScopeLaunch)
	if err != nil {
		return err
	}
	c.warn(in)
	if err := errors.Join(c.onlyTrain(ctx), in.Err()); err != nil {
		return err
	}
	plan, err := c.lookAt(in)
	if err != nil {
		return err
	}
	return c.print(planText(plan, false))
}

// lookAt is the plan with its secrets masked, unless they were asked for.
func (c *command) lookAt(in *bootstrap.Inspection) (*bootstrap.Plan, error) {
	o := c.options()
	plan, err := in.Plan(o)
	if err == nil && !c.settings.secrets {
		o.Mask = true
		plan, err = in.Plan(o)
	}
	return plan, err
}

// wantsDryRun says whether a dry run is asked for, before flags are read: then a mistake in them has no effects either.
func wantsDryRun(args, env []string) bool {
	dry := false
	if text, ok := bootstrap.Getenv(env, "ENTRAIN_DRY_RUN"); ok {
		dry, _ = strconv.ParseBool(text)
	}
	for _, arg := range args[min(1, len(args)):] {
		name, text, assigned := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name == "dry-run" && strings.HasPrefix(arg, "-") {
			dry = true
			if assigned {
				dry, _ = strconv.ParseBool(text)
			}
		}
	}
	return dry
}

// planShell is the command as a script; what streams a channel to it is not in it.
func planShell(p *bootstrap.Plan) string {
	script := p.Command.Shell()
	if p.Stdin == nil {
		return script
	}
	first, rest, _ := strings.Cut(script, "\n")
	return fmt.Sprintf("%s\n# standard input: what entrain pipe %s writes\n%s", first, bootstrap.ShellQuote(p.Stdin.Channel), rest)
}

type shown = map[string]any

// shownPlan is the JSON form. Its keys are fixed: other programs read them.
func shownPlan(p *bootstrap.Plan) shown {
	files := []shown{}
	for _, f := range p.Files {
		files = append(files, shown{"path": f.Path, "mode": fmt.Sprintf("%04o", f.Mode), "data": string(f.Data)})
	}
	env := shown{}
	for _, kv := range p.Command.Env {
		if name, value, ok := strings.Cut(kv, "="); ok && env[name] == nil {
			env[name] = value
		}
	}
	all := shown{
		"role":    p.Role,
		"command": shown{"argv": p.Command.Argv, "env": env, "dir": p.Command.Dir},
		"files":   files,
		"wait": shown{
			"hosts": append([]string{}, p.Wait.Hosts...), "timeout": p.Wait.Timeout.String(), "dns_only": p.Wait.DNSOnly,
		},
		"end": shown{
			"grace": p.End.Grace.String(), "signal_group": p.End.SignalGroup, "capture": !p.End.NoCapture,
			"parent_death_signal": p.End.ParentDeath,
		},
		"rendezvous": shownRendezvous(p.Rendezvous),
		"failure":    p.Failure,
		"notes":      slices.Concat([]string{}, p.Notes, p.Remarks),
	}
	if p.Launch != nil {
		all["launch"] = shownLaunch(p.Launch)
	}
	if p.Stdin != nil {
		all["stdin"] = shownStream(p.Stdin)
	}
	return all
}

func shownRendezvous(m *bootstrap.Rendezvous) any {
	if m == nil {
		return nil
	}
	return shown{
		"leader": m.Hosts[0], "host": m.Host, "port": m.Port, "interface": m.Interface, "slots": m.Slots, "key": m.Key.Given,
		"peer_timeout": m.PeerTimeout.String(), "on_peer_failure": map[bool]string{false: "stop", true: "ignore"}[m.Ignore],
	}
}

func shownLaunch(l *bootstrap.Launch) shown {
	hosts := []shown{}
	for _, h := range l.Hosts {
		hosts = append(hosts, shown{"name": h.Name, "slots": h.Slots})
	}
	hostfile, _ := l.HostfileText() // checked when the plan was made
	return shown{
		"launcher": l.Launcher.Family, "version": l.Launcher.Version, "program": l.Program, "agent": l.Agent, "dir": l.Dir,
		"hosts": hosts, "hostfile": hostfile, "argv": append([]string{}, l.Argv()...),
	}
}

// planText is the plan for people. It shows the environment that the trainer inherits only if all is true.
func planText(p *bootstrap.Plan, all bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "role     %s\n", p.Role)
	for _, note := range slices.Concat(p.Notes, p.Remarks) {
		fmt.Fprintf(&b, "note     %s\n", note)
	}
	if len(p.Wait.Hosts) > 0 {
		fmt.Fprintf(&b, "wait     %s, at most %s\n", strings.Join(p.Wait.Hosts, " "), p.Wait.Timeout)
	}
	if s := p.Stdin; s != nil {
		fmt.Fprintf(&b, "stdin    %s_%d and what follows%s\n", s.Prefix, s.First, map[bool]string{true: fmt.Sprintf(", %d in all", s.Epochs)}[s.Epochs > 0])
	}
	if m := p.Rendezvous; m != nil {
		fmt.Fprintf(&b, "meet     at %s:%d, %s\n", m.Hosts[0], m.Port, map[bool]string{false: "without a key", true: "with a key"}[m.Key.Given])
	}
	if l := p.Launch; l != nil {
		fmt.Fprintf(&b, "launch   %s %s by %s, agent %s\n", l.Launcher.Family, l.Launcher.Version, l.Program, l.Agent)
		for _, h := range l.Hosts {
			fmt.Fprintf(&b, "host     %s, %d slots\n", h.Name, h.Slots)
		}
	}
	for _, f := range p.Files {
		fmt.Fprintf(&b, "write    %s (%d bytes, %04o)\n", f.Path, len(f.Data), f.Mode)
	}
	fmt.Fprintf(&b, "grace    %s\nfailure  %s\ndir      %s\n", p.End.Grace, p.Failure, p.Command.Dir)
	b.WriteString(planEnv(p, all))
	for _, word := range p.Command.Argv {
		fmt.Fprintf(&b, "argv     %s\n", bootstrap.ShellQuote(word))
	}
	return b.String()
}

func planEnv(p *bootstrap.Plan, all bool) string {
	var b strings.Builder
	env := p.Command.Env
	if inherited := len(env) - p.Added; !all && inherited > 0 {
		env = env[inherited:]
		fmt.Fprintf(&b, "inherit  %d variables of the environment (--all shows them)\n", inherited)
	}
	for _, kv := range env {
		fmt.Fprintf(&b, "env      %s\n", bootstrap.ShellQuote(kv))
	}
	return b.String()
}

const helpTemplate = `entrain - {{.Usage}}

  Reads the contract under /opt/ml, checks it, waits for all hosts of the job, and runs the trainer
  with the hyperparameters as flags and SM_ variables.

VERBS:{{range .VisibleCommands}}
  {{join .Names ", "}}{{"\t"}}{{.Usage}}{{end}}

EXAMPLE, in a Dockerfile:
  COPY entrain /usr/local/bin/
  ENTRYPOINT ["/usr/local/bin/entrain", "run", "--", "python3", "/opt/train.py"]

EXAMPLE, on a laptop:
  entrain scaffold --hp lr=0.1 --data train=./data ./job
  entrain plan --root ./job -- python3 train.py

  entrain VERB --help, or entrain help VERB, shows the flags of a verb. Flags go after the verb.
  Every flag can be set as a variable (--some-flag: ENTRAIN_SOME_FLAG); the flag wins.
`

const verbHelpTemplate = `{{.HelpName}} - {{.Usage}}

USAGE:
  {{.HelpName}}{{if .VisibleFlags}} [FLAGS]{{end}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}{{if .VisibleFlags}}

FLAGS:{{range .VisibleFlags}}
  {{.}}{{end}}{{end}}
`
