//go:build linux

package cli

import (
	"fmt"
	"slices"
	"strings"

	"entrain/bootstrap/plan"
)

// planText is a plan for people. It shows the environment that the trainer inherits only if all is true.
func planText(p *plan.Plan, all bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "role     %s\n", p.Role)
	for _, note := range slices.Concat(p.Notes, p.Remarks) {
		fmt.Fprintf(&b, "note     %s\n", note)
	}
	b.WriteString(planSource(p))
	if len(p.Wait.Hosts) > 0 {
		fmt.Fprintf(&b, "wait     %s, at most %s\n", strings.Join(p.Wait.Hosts, " "), p.Wait.Timeout)
	}
	if s := p.Stdin; s != nil {
		fmt.Fprintf(&b, "stdin    %s\n", epochsText(s))
	}
	for _, s := range p.Feeds {
		fmt.Fprintf(&b, "feed     %s from %s\n", s.FIFO, epochsText(s))
	}
	if m := p.Rendezvous; m != nil {
		key := wordFor(m.Key.Given, "without", "with")
		fmt.Fprintf(&b, "meet     at %s:%d, %s a key\n", m.Hosts[0], m.Port, key)
	}
	b.WriteString(planLaunch(p))
	for _, dir := range p.Dirs {
		fmt.Fprintf(&b, "make     %s\n", dir)
	}
	for _, f := range p.Files {
		fmt.Fprintf(&b, "write    %s (%d bytes, %04o)\n", f.Path, len(f.Data), f.Mode)
	}
	fmt.Fprintf(&b, "grace    %s\nfailure  %s\ndir      %s\n", p.End.Grace, p.Failure, p.Command.Dir)
	b.WriteString(planEnv(p, all))
	for _, word := range p.Command.Argv {
		fmt.Fprintf(&b, "argv     %s\n", plan.ShellQuote(word))
	}
	return b.String()
}

// planSource says what is unpacked and installed first. It is empty for nothing.
func planSource(p *plan.Plan) string {
	var b strings.Builder
	if s := p.Source; s != nil {
		fmt.Fprintf(&b, "unpack   %s into %s; what is in it decides how its program is started\n", s.Archive, s.Dir)
	}
	if len(p.Install) > 0 {
		fmt.Fprintf(&b, "install  %s\n", strings.Join(p.Install, " "))
	}
	return b.String()
}

// planLaunch says who starts the ranks, and how many on each host. It is empty without a launch.
func planLaunch(p *plan.Plan) string {
	l := p.Launch
	var b strings.Builder
	switch {
	case l == nil:
		return ""
	case l.Own:
		n := p.Together.Slots
		fmt.Fprintf(&b, "launch   %d %s on this host, by entrain itself\n", n, wordFor(n == 1, "ranks", "rank"))
	default:
		fmt.Fprintf(&b, "launch   %s %s by %s, agent %s\n",
			l.Launcher.Family, l.Launcher.Version, l.Program, l.Agent)
	}
	if l.Timeout > 0 {
		fmt.Fprintf(&b, "begin    the ranks of every host, within %s\n", l.Timeout)
	}
	for _, h := range l.Hosts {
		fmt.Fprintf(&b, "host     %s, %d %s\n", h.Name, h.Slots, wordFor(h.Slots == 1, "slots", "slot"))
	}
	return b.String()
}

func planEnv(p *plan.Plan, all bool) string {
	var b strings.Builder
	env := p.Command.Env
	if inherited := len(env) - p.Added; !all && inherited > 0 {
		env = env[inherited:]
		fmt.Fprintf(&b, "inherit  %d variables of the environment (--all shows them)\n", inherited)
	}
	for _, kv := range env {
		fmt.Fprintf(&b, "env      %s\n", plan.ShellQuote(kv))
	}
	for _, name := range p.Later() {
		fmt.Fprintf(&b, "later    %s\n", laterText(name))
	}
	return b.String()
}

// epochsText says which FIFOs are streamed.
func epochsText(s *plan.Stream) string {
	text := fmt.Sprintf("%s_%d and what follows", s.Prefix, s.First)
	if s.Epochs > 0 {
		text += fmt.Sprintf(", %d in all", s.Epochs)
	}
	return text
}

// planShell is the trainer's command as a script. Comments in it say which channel the plan streams to the
// trainer, and what the script lacks.
func planShell(p *plan.Plan) string {
	first, rest, _ := strings.Cut(p.Command.Shell(), "\n")
	var b strings.Builder
	b.WriteString(first + "\n")
	if p.Stdin != nil {
		fmt.Fprintf(&b, "# standard input: what entrain pipe %s writes\n", plan.ShellQuote(p.Stdin.Channel))
	}
	for _, s := range p.Feeds {
		fmt.Fprintf(&b, "# %s: what entrain pipe %s writes\n",
			plan.ShellQuote(s.FIFO), plan.ShellQuote(s.Channel))
	}
	for _, name := range p.Later() {
		fmt.Fprintf(&b, "# %s\n", laterText(name))
	}
	return b.String() + rest
}

// laterText says that a variable has no value yet.
func laterText(name string) string { return name + " is known once the hosts have met" }

// wordFor is the word for a bool.
func wordFor(b bool, wordForFalse, wordForTrue string) string {
	if b {
		return wordForTrue
	}
	return wordForFalse
}
