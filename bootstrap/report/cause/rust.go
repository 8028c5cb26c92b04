package cause

import (
	"regexp"
	"strings"
)

// rust reads a panic. Since Rust 1.73 it is "thread 'main' panicked at src/main.rs:2:5:" with the message
// in the next lines. Before it was "thread 'main' panicked at 'message', src/main.rs:2:5".
func rust(p *process) []finding {
	if !p.hasAny("panicked at ") {
		return nil
	}
	var found []finding
	pattern := regexp.MustCompile(`^thread '.*' (?:\(\d+\) )?panicked at `)
	for i := 0; i < len(p.lines); i++ {
		if p.taken[i] || !pattern.MatchString(p.lines[i].text) {
			continue
		}
		text, last := p.lines[i].text, i
		for strings.HasSuffix(p.lines[i].text, ":") && last+1 < min(i+5, len(p.lines)) {
			next := p.lines[last+1].text
			if next == "" || isNoise(next) {
				break
			}
			text, last = text+" "+next, last+1
		}
		f := p.newFinding(cause, i, last, text)
		f.deadly = true
		found = append(found, grade(f))
		i = last
	}
	return found
}
