package cause

import (
	"regexp"
	"strings"
	"sync"
)

// messages reads the lines that no other reader claimed: messages that begin like an error, log lines
// with the level of an error, and lines with a word such as "failed".
func messages(p *process) []finding {
	var found []finding
	level, word := sync.OnceValue(levelPattern), sync.OnceValue(wordPattern)
	lower, not := sync.OnceValue(lowerPattern), sync.OnceValue(harmlessPattern)
	for i := 0; i < len(p.lines); i++ {
		text := p.lines[i].text
		if p.taken[i] || !mayTellOfFailure(text) || isNoise(text) || isShutdown(text) || isMarked(p.nextText(i)) {
			continue
		}
		k, at := said, level().FindStringIndex(text)
		if at == nil {
			k, at = mention, word().FindStringIndex(text)
		}
		if at == nil && isAfterthought(text) {
			at = []int{0, 0}
		}
		if at == nil || lower().MatchString(text[:at[1]]) || not().MatchString(text) {
			continue // only a level in front of the error counts: "error: no debug data" is an error
		}
		joined, last := p.message(i)
		f := p.newFinding(k, i, last, joined)
		if isWrapper(f.text) {
			f.kind = wrapper
		}
		found = append(found, grade(f))
		i = last
	}
	return found
}

// levelPattern matches the beginning of an error message, or the level of an error in a log line. It
// covers Python's logging, loguru, log4j, glog ("E1125 16:27:12"), rustc ("error[E0308]: "), zerolog and
// structlog in JSON, logfmt, and LightGBM's "[Fatal]".
func levelPattern() *regexp.Regexp {
	return regexp.MustCompile(`^(?:\S+: ){0,3}(?:[Ee]rror|ERROR|[Ff]atal(?: error)?|FATAL|CRITICAL|` +
		`SEVERE)\b(?:[:\]]|\[\w+\]: | in )|^npm (?:ERR!|error) |` +
		`^.{0,100}?\b(?:ERROR|FATAL|CRITICAL|SEVERE)\b|` +
		`^\[?[EF]\d{4,8} \d\d:|\[(?:Fatal|fatal|error|Error)\]|` +
		`"(?:level|severity|levelname|lvl)": ?"(?i:error|fatal|critical|panic)"|\blevel=(?:error|fatal)\b|` +
		`^\d{4}-\d\d-\d\d .*: E \S+:\d+\] `)
}

// wordPattern matches a word that tells of a failure.
func wordPattern() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:error|fatal|exception|failed|failure|cannot|can't|could not|` +
		`unable to|no such|not found|no space left|out of memory|oom-kill|killed|aborted|denied|` +
		`is (?:empty|missing)|does not exist|invalid)\b|[a-z]Error\b`)
}

// isHarmless reports whether a line has a level below an error, or is a state of a progress bar.
func isHarmless(text string) bool {
	return lowerPattern().MatchString(text) || harmlessPattern().MatchString(text) ||
		strings.Contains(text, "%|")
}

// lowerPattern matches the levels of a log below an error.
func lowerPattern() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:info|debug|warning|warn|notice)\b`)
}

// harmlessPattern matches lines that contain a word such as "failed" and still tell of no failure: lines
// with a lower level after the message, counts of no errors, metrics, and messages that TensorFlow prints
// at every start.
func harmlessPattern() *regexp.Regexp {
	return regexp.MustCompile(
		`(?i)\b(?:level|severity|levelname|lvl)"?[=:] ?"?(?:info|debug|warning|warn|notice)\b|[a-z]Warning\b|` +
			`^\[?[IW]\d{4,8} \d\d:|Unable to register cu\w+ factory|computation placer already registered|` +
			`\b(?:no|0|without) (?:\w+ )?(?:errors?|failures?|failed)\b|` +
			`\b(?:errors?|failed|failures)[ =:]+\d+(?:\.\d+)?(?:e-?\d+)?(?:[ ,%|]|$)`)
}
