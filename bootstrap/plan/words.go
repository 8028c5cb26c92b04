package plan

import (
	"fmt"
	"strings"

	"entrain/hparams"
	"entrain/mpi"
)

// commandWords reads ENTRAIN_COMMAND: a JSON array of strings, or words quoted as in a shell.
func commandWords(text string) ([]string, error) {
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

// ShellQuote writes a word so that a POSIX shell reads it back.
func ShellQuote(word string) string {
	if hparams.IsWord(word, "_-./:=,@%+") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
