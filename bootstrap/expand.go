package bootstrap

import (
	"fmt"
	"strings"

	"entrain/contract"
)

// expand replaces ${SM_…} and ${ENTRAIN_…} in a word by the variables that the trainer gets, and $$ by a
// dollar. Any other dollar stays: it may be meant for a shell that the command starts.
func expand(word string, env []string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(word, "$")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, isName := reference(rest)
		switch {
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			word = rest[1:]
		case !isName:
			b.WriteByte('$')
			word = rest
		default:
			value, ok := contract.Getenv(env, name)
			if !ok {
				return "", fmt.Errorf("${%s} names no variable of this job\nhint: entrain plan shows them all; write $${%s} for the text itself", name, name)
			}
			b.WriteString(value)
			word = after
		}
	}
}

// reference reads {NAME} behind a dollar if it is one of ours.
func reference(rest string) (name, after string, ok bool) {
	if !strings.HasPrefix(rest, "{SM_") && !strings.HasPrefix(rest, "{ENTRAIN_") {
		return "", "", false
	}
	return strings.Cut(rest[1:], "}")
}
