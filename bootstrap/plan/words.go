package plan

import (
	"fmt"
	"strings"

	"entrain/hparams"
	"entrain/mpi"
)

// parseCommand reads a command in a text: a JSON array of strings, or words quoted as in a shell.
func parseCommand(text string) ([]string, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		return mpi.SplitWords(text)
	}
	doc, _, err := hparams.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("not a JSON array of strings: %w", err)
	}
	var words []string
	for _, item := range doc.Items {
		if item.Kind != hparams.String {
			return nil, fmt.Errorf("a JSON array with %s in it, expected strings", item.Kind)
		}
		words = append(words, item.Text)
	}
	return words, nil
}

// ShellQuote quotes a word, if that is needed, so that a POSIX shell reads the same word.
func ShellQuote(word string) string {
	if hparams.IsWord(word, "_-./:=,@%+") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// quoteWords joins words to a line that a POSIX shell splits into the same words.
func quoteWords(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = ShellQuote(word)
	}
	return strings.Join(quoted, " ")
}
