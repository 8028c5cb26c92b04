package mpi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// shell reads the small part of the POSIX shell's language that launchers use (XCU 2.2, 2.6.2, 2.9.1). It
// refuses everything that a shell might read in another way, such as a glob or a tilde outside quotes.
type shell struct {
	quoting
	env        []string   // the host's environment
	vars       []variable // the variables that the statements before this one set
	assigned   []variable // the variables that this statement sets
	daemonOnly []variable // the variables that are set for the daemon alone
	exports    []string   // the names of exported variables
}

type variable struct{ name, value string }

// overlay sets the variables more in vars. A variable that is set again keeps its place.
func overlay(vars, more []variable) []variable {
	for _, v := range more {
		if i := slices.IndexFunc(vars, func(old variable) bool { return old.name == v.name }); i >= 0 {
			vars[i] = v
		} else {
			vars = append(vars, v)
		}
	}
	return vars
}

// errorHere is an error about the text at the current position.
func (s *shell) errorHere(want string) error { return s.placed("expected " + want) }

// placed puts the text at the current position before a problem.
func (s *shell) placed(problem string) error {
	found := "the end"
	if rest := s.text[s.pos:]; rest != "" {
		found = fmt.Sprintf("%q", shorten(rest, 40))
	}
	return fmt.Errorf("remote command: %s at byte %d: %s", found, s.pos, problem)
}

func (s *shell) skipBlanks() {
	for s.pos < len(s.text) && (s.text[s.pos] == ' ' || s.text[s.pos] == '\t') {
		s.pos++
	}
}

// skipText skips text, if it comes next, and says whether it did.
func (s *shell) skipText(text string) bool {
	found := strings.HasPrefix(s.text[s.pos:], text)
	if found {
		s.pos += len(text)
	}
	return found
}

// nameAt is the name of a variable that starts at byte at. It is empty where none starts there.
func (s *shell) nameAt(at int) string {
	end := at
	for end < len(s.text) {
		c := s.text[end]
		isLetter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
		if !isLetter && (end == at || c < '0' || c > '9') {
			break
		}
		end++
	}
	return s.text[at:end]
}

// word reads up to a blank, a ; or a ) outside quotes. Variables outside quotes are allowed in an assignment
// alone: in an argument, a shell would split their values at blanks.
func (s *shell) word(assignment bool) (string, error) {
	var word []byte
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		var part string
		var err error
		switch {
		case strings.IndexByte(" \t;)", c) >= 0:
			return string(word), nil
		case c == '\'':
			part, err = s.singleQuoted()
		case c == '"':
			part, err = s.doubleQuoted(s.expansion)
		case c == '\\':
			part, err = s.escaped("")
		case c == '$' && assignment:
			part, err = s.variable()
		case strings.IndexByte("$&|<>(`#~*?[]{}!\n", c) >= 0:
			err = s.errorHere("none of it outside quotes, since no shell runs")
		default:
			part, err = s.literal()
		}
		if problem, ok := errors.AsType[quoteError](err); ok {
			return "", s.placed(string(problem))
		} else if err != nil {
			return "", err
		}
		word = append(word, part...)
	}
	return string(word), nil
}

// expansion reads a variable in double quotes. It refuses the command substitution.
func (s *shell) expansion() (string, error) {
	if s.text[s.pos] == '`' {
		return "", s.errorHere("no ` in double quotes, since no shell runs")
	}
	return s.variable()
}

// variable reads $NAME, ${NAME}, ${NAME:-} or ${NAME:-word}.
func (s *shell) variable() (string, error) {
	start := s.pos
	s.pos++
	braced := s.skipText("{")
	name := s.nameAt(s.pos)
	s.pos += len(name)
	value := s.lookup(name)
	if braced && s.skipText(":-") {
		word, _, _ := strings.Cut(s.text[s.pos:], "}")
		if strings.ContainsAny(word, "$`\"'\\~{\n") {
			name = "" // a shell would expand or unquote this word: refuse it
		}
		s.pos += len(word)
		if value == "" {
			value = word
		}
	}
	if name == "" || braced && !s.skipText("}") {
		s.pos = start
		return "", s.errorHere("$NAME, ${NAME}, ${NAME:-} or ${NAME:-word}")
	}
	return value, nil
}

// lookup is the value of a variable, empty where it is not set. The latest assignment counts.
func (s *shell) lookup(name string) string {
	for _, vars := range [][]variable{s.assigned, s.vars} {
		for _, v := range vars {
			if v.name == name {
				return v.value
			}
		}
	}
	value, _ := lookup(s.env, name)
	return value
}
