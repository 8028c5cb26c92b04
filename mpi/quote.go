package mpi

import (
	"fmt"
	"strings"
)

// SplitWords splits text into words as a POSIX shell does (XCU 2.2, Quoting), but expands nothing. A
// character on which a shell would act, such as & or >, is an error outside quotes, since no shell runs.
func SplitWords(text string) ([]string, error) {
	q := quoting{text: text}
	var words []string
	for q.pos < len(text) {
		word, found, err := q.plainWord()
		if err != nil {
			return nil, err
		}
		if found {
			words = append(words, word)
		}
		q.pos++ // the blank behind the word
	}
	return words, nil
}

// quoting reads the quotes of a POSIX shell.
type quoting struct {
	text string
	pos  int // of the next byte to read
}

// quoteError is the error of a quote or a backslash at the current position.
type quoteError string

func (e quoteError) Error() string { return string(e) }

// plainWord reads up to a blank or a line end outside quotes. It finds no word where none begins here.
func (q *quoting) plainWord() (word string, found bool, err error) {
	var text []byte
	for q.pos < len(q.text) && strings.IndexByte(" \t\n", q.text[q.pos]) < 0 {
		var part string
		switch c := q.text[q.pos]; c {
		case '\'':
			part, err = q.singleQuoted()
			found = true
		case '"':
			part, err = q.doubleQuoted(q.literal)
			found = true
		case '\\':
			part, err = q.escaped("")
		case ';', '&', '|', '<', '>', '(', ')', '`':
			err = fmt.Errorf("%q outside quotes: no shell reads this; quote it, or start a shell with sh -c '…'", c)
		default:
			part, err = q.literal()
		}
		if err != nil {
			return "", false, err
		}
		text = append(text, part...)
	}
	return string(text), found || len(text) > 0, nil
}

// literal reads one byte that stands for itself. The error is always nil.
func (q *quoting) literal() (string, error) {
	q.pos++
	return q.text[q.pos-1 : q.pos], nil
}

// singleQuoted reads a part in single quotes.
func (q *quoting) singleQuoted() (string, error) {
	inside, _, closed := strings.Cut(q.text[q.pos+1:], "'")
	if !closed {
		return "", quoteError("a single quote has no end")
	}
	q.pos += len(inside) + 2
	return inside, nil
}

// doubleQuoted reads a part in double quotes. It calls expansion where a shell would begin one, at a $ or a
// `.
func (q *quoting) doubleQuoted(expansion func() (string, error)) (string, error) {
	start := q.pos
	var inside []byte
	for q.pos++; q.pos < len(q.text); {
		var part string
		var err error
		switch q.text[q.pos] {
		case '"':
			q.pos++
			return string(inside), nil
		case '\\':
			part, err = q.escaped("$`\"\\\n")
		case '$', '`':
			part, err = expansion()
		default:
			part, err = q.literal()
		}
		if err != nil {
			return "", err
		}
		inside = append(inside, part...)
	}
	q.pos = start
	return "", quoteError("a double quote has no end")
}

// escaped reads a backslash and the byte after it. special holds the bytes that a backslash escapes, empty
// for all bytes; before another byte the backslash stays. An escaped line end joins two lines.
func (q *quoting) escaped(special string) (string, error) {
	if q.pos+1 == len(q.text) {
		return "", quoteError("nothing follows the last backslash")
	}
	pair := q.text[q.pos : q.pos+2]
	q.pos += 2
	switch {
	case pair[1] == '\n':
		return "", nil
	case special != "" && strings.IndexByte(special, pair[1]) < 0:
		return pair, nil
	}
	return pair[1:], nil
}
