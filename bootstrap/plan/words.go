package plan

import (
	"errors"
	"fmt"
	"strings"

	"entrain/hparams"
)

// commandWords reads ENTRAIN_COMMAND: a JSON array of strings, or words quoted as in a shell.
func commandWords(text string) ([]string, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		return splitWords(text)
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

// splitWords splits text into words as a POSIX shell does (XCU 2.2, Quoting), but expands nothing. What a shell
// would act on, such as && or >, is an error: no shell will.
func splitWords(text string) ([]string, error) {
	s := splitter{text: text}
	for s.pos < len(s.text) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	s.end()
	return s.words, nil
}

type splitter struct {
	text   string
	pos    int
	words  []string
	word   []byte
	inWord bool
}

func (s *splitter) end() {
	if s.inWord {
		s.words = append(s.words, string(s.word))
	}
	s.word, s.inWord = nil, false
}

func (s *splitter) add(c ...byte) { s.word, s.inWord = append(s.word, c...), true }

func (s *splitter) next() error {
	c := s.text[s.pos]
	s.pos++
	switch c {
	case ' ', '\t', '\n':
		s.end()
	case '\'':
		inside, rest, closed := strings.Cut(s.text[s.pos:], "'")
		if !closed {
			return errors.New("a single quote has no end")
		}
		s.add([]byte(inside)...)
		s.pos = len(s.text) - len(rest)
	case '"':
		return s.double()
	case '\\':
		if s.pos == len(s.text) {
			return errors.New("nothing follows the last backslash")
		}
		if s.text[s.pos] != '\n' { // an escaped line end joins two lines
			s.add(s.text[s.pos])
		}
		s.pos++
	case ';', '&', '|', '<', '>', '(', ')', '`':
		return fmt.Errorf("%q outside quotes: no shell reads this; quote it, or start a shell with sh -c '…'", c)
	default:
		s.add(c)
	}
	return nil
}

// double reads the rest of a double-quoted part, in which a backslash escapes only $ ` " \ and a line end.
func (s *splitter) double() error {
	s.add()
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		s.pos++
		switch {
		case c == '"':
			return nil
		case c == '\\' && s.pos < len(s.text) && strings.IndexByte("$`\"\\\n", s.text[s.pos]) >= 0:
			if s.text[s.pos] != '\n' {
				s.add(s.text[s.pos])
			}
			s.pos++
		default:
			s.add(c)
		}
	}
	return errors.New("a double quote has no end")
}

// ShellQuote writes a word so that a POSIX shell reads it back.
func ShellQuote(word string) string {
	if hparams.IsWord(word, "_-./:=,@%+") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
