package cause

import (
	"regexp"
	"strings"
	"sync"
)

// scripts reads the messages of shells, version managers and the interpreters of other languages.
func scripts(p *process) []finding {
	var found []finding
	errors, usage := sync.OnceValue(scriptPattern), sync.OnceValue(usagePattern)
	killed := sync.OnceValue(killedPattern)
	for i := 0; i < len(p.lines); i++ {
		text := p.lines[i].text
		if p.taken[i] || !mayTellOfFailure(text) {
			continue
		}
		var k kind
		isUsage := usage().MatchString(text)
		switch {
		case strings.HasPrefix(text, "╭─ Error ─"):
			f, last := p.box(i)
			found, i = append(found, f), last
			continue
		case killed().MatchString(text):
			k = summary
		case isUsage || errors().MatchString(text):
			k = said
		default:
			continue
		}
		joined, last := p.withCauses(p.message(i))
		f := p.newFinding(k, i, last, joined)
		f.usage = isUsage
		found = append(found, grade(f))
		i = last
	}
	return found
}

// box reads a complaint about an argument that rich has framed for click or typer. It also returns the
// number of the last line.
func (p *process) box(first int) (finding, int) {
	var words []string
	last := first
	for last+1 < len(p.lines) && strings.HasPrefix(p.lines[last+1].text, "│") {
		last++
		words = append(words, strings.Trim(p.lines[last].text, "│ "))
	}
	if strings.HasPrefix(p.nextText(last), "╰") {
		last++
	}
	f := p.newFinding(said, first, last, strings.Join(words, " "))
	f.usage = true
	return f, last
}

// withCauses adds the innermost cause to an error message of Rust's anyhow, which lists the causes indented
// below a paragraph "Caused by:". It does the same for R's rlang, which prints "Caused by error …:" and a
// line "! …" for each cause. It also returns the number of the last line.
func (p *process) withCauses(message string, last int) (string, int) {
	if strings.HasPrefix(message, "Error in `") {
		return p.withConditions(message, last)
	}
	at := last + 2
	if at >= len(p.lines) || p.nextText(last) != "" || p.lines[at].text != "Caused by:" {
		return message, last
	}
	inner := ""
	for at+1 < len(p.lines) && isIndented(p.lines[at+1].text) {
		at++
		inner = strings.TrimSpace(p.lines[at].text)
	}
	return message + "; Caused by: " + inner, at
}

// withConditions adds the innermost cause to an error message of R's rlang.
func (p *process) withConditions(message string, last int) (string, int) {
	inner, end := "", last
	for i := last + 1; i < len(p.lines) && p.lines[i].text != "Backtrace:" && p.lines[i].text != ""; i++ {
		if cause, found := strings.CutPrefix(p.lines[i].text, "! "); found {
			inner, end = cause, i
		}
	}
	if inner == "" {
		return message, last
	}
	return message + " " + inner, end
}

// usagePattern matches complaints about arguments by argparse, click, getopt(3), Go's flag, Abseil's
// flags, and Rust's clap.
func usagePattern() *regexp.Regexp {
	return regexp.MustCompile(`^(?:[\w./-]+: error: |` +
		`Error: (?:No such option|Missing (?:option|argument|parameter)|Invalid value|Got unexpected)|` +
		`\S+: (?:invalid|unrecognized|unknown) option|\S+: (?:missing operand|option requires |` +
		`option '.*' requires )|flag provided but not defined: |FATAL Flags parsing error:|` +
		`error: (?:unexpected argument|the following required arguments|invalid value))`)
}

// killedPattern matches what a shell prints about a process that a signal ended, and what srun and make print
// about a task that failed.
func killedPattern() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(?:\S+: line \d+: +\d+ )?(?:Killed|Aborted|Terminated|` +
		`Segmentation fault|Bus error|Floating point exception|Illegal instruction)\b.{0,200}$|` +
		`(?:srun|slurmstepd): error: .*(?:Exited with|Killed|Terminated|Aborted|Segmentation|CANCELLED)|` +
		`make(?:\[\d+\])?: \*\*\* )`)
}

// scriptPattern matches, in this order: shells, env and the dynamic linker; Python's complaints about its
// script; version managers; entrain's remote agent and ssh, whose messages come before those of a
// launcher; R; Perl; Ruby; Lua; Node; Julia; PHP.
func scriptPattern() *regexp.Regexp {
	return regexp.MustCompile(`(?:command not found|: not found|unbound variable|parameter not set|` +
		`cannot open shared object file.*|syntax error near unexpected token .*|bad interpreter: .*)$|` +
		`^(?:\S*python[\d.]*: (?:can't open file|No module named|Error while finding)|` +
		`[Cc]ommand '.*' not found|No (?:preset )?version (?:is set|installed) for command |` +
		`.*version \S+ is not (?:yet )?installed|unknown command: |` +
		`entrain on \S+: |ssh: |Host key verification failed|\S+: Permission denied \(|Error in |Error: |` +
		`.* at \S+ line \d+(?:, <\w+> line \d+)?\.$|\S+:\d+:in .*\((?:\w|::)+\)$|lua[\d.]*: |` +
		`(?:Uncaught )?[A-Z]\w*(?:Error|Exception)(?: \[\w+\])?: |ERROR: \w+(?:Error|Exception)?: |` +
		`PHP Fatal error)`)
}

// isShutdown reports whether a line is one that Python or torch prints whenever a program ends early.
func isShutdown(text string) bool {
	return strings.Contains(text, "leaked semaphore") || strings.Contains(text, "destroy_process_group")
}
