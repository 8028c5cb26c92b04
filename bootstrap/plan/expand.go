package plan

import (
	"fmt"
	"strings"

	"entrain/contract"
	"entrain/hparams"
)

// ExpandWords puts variables into the words of a command, but for program text: a shell has the variables itself.
func ExpandWords(words, env []string) ([]string, error) {
	expanded := make([]string, len(words))
	texts := programTexts(words)
	shown := contract.MaskWords(words)
	for i, word := range words {
		if texts[i] {
			expanded[i] = word
			continue
		}
		var err error
		if expanded[i], err = expand(word, env); err != nil {
			return nil, &UsageError{Err: fmt.Errorf("the command's word %s: %w", hparams.Quote(shown[i]), err)}
		}
	}
	return expanded, nil
}

// expand replaces ${SM_…} and ${ENTRAIN_…} in a word by the variables that the trainer gets, and $${ by ${. Any other
// dollar stays: it may be meant for a shell that the command starts.
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
		case strings.HasPrefix(rest, "${"):
			b.WriteString("${")
			word = rest[2:]
		case !isName:
			b.WriteByte('$')
			word = rest
		default:
			value, ok := contract.Getenv(env, name)
			if !ok {
				return "", fmt.Errorf("${%s} names no variable of this job\n"+
					"hint: entrain plan shows them all; write $${%s} for the text itself", name, name)
			}
			b.WriteString(value)
			word = after
		}
	}
}

// unexpanded writes a word so that expand gives it back.
func unexpanded(word string) string { return strings.ReplaceAll(word, "${", "$${") }

// reference reads {NAME} behind a dollar if it is one of ours.
func reference(rest string) (name, after string, ok bool) {
	if !strings.HasPrefix(rest, "{SM_") && !strings.HasPrefix(rest, "{ENTRAIN_") {
		return "", "", false
	}
	return strings.Cut(rest[1:], "}")
}
