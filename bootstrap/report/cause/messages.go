package cause

import (
	"regexp"
	"strings"
	"sync"
)

// messages reads what is left: messages that begin as an error, lines of a log that have an error's level,
// and lines with a word that tells of a failure.
func messages(p *process) []finding {
	var found []finding
	level, word := sync.OnceValue(levelPattern), sync.OnceValue(wordPattern)
	lower, not := sync.OnceValue(lowerPattern), sync.OnceValue(harmlessPattern)
	for i := 0; i < len(p.lines); i++ {
		text := p.lines[i].text
		if p.taken[i] || !mayTell(text) || isNoise(text) || isShutdown(text) || isMarked(p.next(i)) {
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
			continue // "no debug data" behind an error is no level
		}
		joined, last := p.message(i)
		f := p.find(k, i, last, joined)
		if isWrapper(f.text) {
			f.kind = wrapper
		}
		found = append(found, grade(f))
		i = last
	}
	return found
}

// levelPattern knows the beginning of an error message, and the level in a line of a log: Python's logging,
// loguru, log4j, glog ("E1125 16:27:12"), rustc ("error[E0308]: "), zerolog and structlog in JSON, logfmt, LightGBM's "[Fatal]".
func levelPattern() *regexp.Regexp {
	return regexp.MustCompile(`^(?:\S+: ){0,3}(?:[Ee]rror|ERROR|[Ff]atal(?: error)?|FATAL|CRITICAL|` +
		`SEVERE)\b(?:[:\]]|\[\w+\]: | in )|^npm (?:ERR!|error) |` +
		`^.{0,100}?\b(?:ERROR|FATAL|CRITICAL|SEVERE)\b|^\[?[EF]\d{4,8} \d\d:|\[(?:Fatal|fatal|error|` +
		`Error)\]|` +
		`"(?:level|severity|levelname|lvl)": ?"(?i:error|fatal|critical|panic)"|\blevel=(?:error|fatal)\b|` +
		`^\d{4}-\d\d-\d\d .*: E \S+:\d+\] `)
}

func wordPattern() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:error|fatal|exception|failed|failure|cannot|can't|could not|` +
		`unable to|no such|not found|` +
		`no space left|out of memory|oom-kill|killed|aborted|denied|is (?:empty|missing)|does not exist|` +
		`invalid)\b|[a-z]Error\b`)
}

// isHarmless says whether a line is one of a lower level, or a state of a progress bar.
func isHarmless(text string) bool {
	return lowerPattern().MatchString(text) || harmlessPattern().MatchString(text) || strings.Contains(text, "%|")
}

// lowerPattern knows the levels of a log below an error.
func lowerPattern() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:info|debug|warning|warn|notice)\b`)
}

// harmlessPattern knows lines that have such a word, and tell of no failure: those of a lower level behind
// the message, counts of no errors, metrics, and what TensorFlow says at every start.
func harmlessPattern() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:level|severity|levelname|lvl)"?[=:] ?"?(?:info|debug|warning|warn|notice)\b|[a-z]Warning\b|` +
		`^\[?[IW]\d{4,8} \d\d:|Unable to register cu\w+ factory|computation placer already registered|` +
		`\b(?:no|0|without) (?:\w+ )?(?:errors?|failures?|failed)\b|\b(?:errors?|failed|` +
		`failures)[ =:]+\d+(?:\.\d+)?(?:e-?\d+)?(?:[ ,%|]|$)`)
}
