package plan

import (
	"fmt"
	"strings"

	"entrain/contract"
	"entrain/hparams"
)

// ExpandWords expands the variables in the words of a command. It leaves the program text of a shell or of
// another interpreter alone (see programTexts). An unknown name is a *UsageError.
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
		if expanded[i], err = expandWord(word, env); err != nil {
			return nil, &UsageError{Err: fmt.Errorf("the command's word %s: %w", hparams.Quote(shown[i]), err)}
		}
	}
	return expanded, nil
}

// expandWord replaces ${SM_…} and ${ENTRAIN_…} by the variables that the trainer gets, and $${ by ${. Any
// other dollar stays, because a shell that the command starts may expand it.
func expandWord(word string, env []string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(word, "$")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, isReference := cutReference(rest)
		switch {
		case strings.HasPrefix(rest, "${"):
			b.WriteString("${")
			word = rest[2:]
		case !isReference:
			b.WriteByte('$')
			word = rest
		default:
			value, ok := contract.Getenv(env, name)
			if !ok && name == ownRestartVariable {
				value, ok = "0", true // a job that may not start again has not started again
			}
			if !ok {
				return "", unknownError(name)
			}
			b.WriteString(value)
			word = after
		}
	}
}

// unknownError says that a word names a variable that the trainer does not get.
func unknownError(name string) error {
	if name == worldVariable || name == hostfileVariable {
		return fmt.Errorf("${%s} is known only once the hosts have met\nhint: leave --rendezvous off out", name)
	}
	return fmt.Errorf("${%s} names no variable of this job\n"+
		"hint: entrain plan shows them all; write $${%s} for the text itself", name, name)
}

// escapeReferences writes a word so that expandWord returns the word itself.
func escapeReferences(word string) string { return strings.ReplaceAll(word, "${", "$${") }

// cutReference reads {NAME} after a dollar. It returns ok if NAME begins as entrain's variables do.
func cutReference(rest string) (name, after string, ok bool) {
	if !strings.HasPrefix(rest, "{SM_") && !strings.HasPrefix(rest, "{ENTRAIN_") {
		return "", "", false
	}
	return strings.Cut(rest[1:], "}")
}
