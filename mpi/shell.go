package mpi

import (
	"fmt"
	"slices"
	"strings"
)

// shell reads the little of a POSIX shell's language that launchers use (XCU 2.2, 2.6.2, 2.9.1). What a shell might
// read differently, such as a glob or a tilde outside quotes, it refuses.
type shell struct {
	text     string
	pos      int
	env      []string
	vars     []variable // set by the statements so far
	assigned []variable // by this statement
	own      []variable // by the daemon's own assignments
	exports  []string
}

type variable struct{ name, value string }

// overlay sets more on top of vars: a name keeps its first place.
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

// refuse is the error for what stands at the shell's place.
func (s *shell) refuse(want string) error {
	found := "the end"
	if rest := s.text[s.pos:]; rest != "" {
		found = fmt.Sprintf("%q", cut(rest, 40))
	}
	return fmt.Errorf("remote command: %s at byte %d: expected %s", found, s.pos, want)
}

func (s *shell) blanks() {
	for s.pos < len(s.text) && (s.text[s.pos] == ' ' || s.text[s.pos] == '\t') {
		s.pos++
	}
}

func (s *shell) skip(text string) bool {
	found := strings.HasPrefix(s.text[s.pos:], text)
	if found {
		s.pos += len(text)
	}
	return found
}

// name is the variable's name that starts at a place, or empty.
func (s *shell) name(at int) string {
	end := at
	for end < len(s.text) {
		c := s.text[end]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
		if !letter && (end == at || c < '0' || c > '9') {
			break
		}
		end++
	}
	return s.text[at:end]
}

// word reads up to a blank, a ; or a ) outside quotes. Outside quotes an argument's variable would be split at its
// blanks, an assignment's is not.
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
			part, err = s.single()
		case c == '"':
			part, err = s.double()
		case c == '\\':
			part, err = s.escaped("")
		case c == '$' && assignment:
			part, err = s.variable()
		case strings.IndexByte("$&|<>(`#~*?[]{}!\n", c) >= 0:
			err = s.refuse("none of it outside quotes, since no shell runs")
		default:
			part = s.text[s.pos : s.pos+1]
			s.pos++
		}
		if err != nil {
			return "", err
		}
		word = append(word, part...)
	}
	return string(word), nil
}

func (s *shell) single() (string, error) {
	inside, _, closed := strings.Cut(s.text[s.pos+1:], "'")
	if !closed {
		return "", s.refuse("a single quote that ends")
	}
	s.pos += len(inside) + 2
	return inside, nil
}

func (s *shell) double() (string, error) {
	start := s.pos
	var inside []byte
	for s.pos++; s.pos < len(s.text); {
		c := s.text[s.pos]
		var part string
		var err error
		switch c {
		case '"':
			s.pos++
			return string(inside), nil
		case '\\':
			part, err = s.escaped("$`\"\\\n")
		case '$':
			part, err = s.variable()
		case '`':
			err = s.refuse("no ` in double quotes, since no shell runs")
		default:
			part = s.text[s.pos : s.pos+1]
			s.pos++
		}
		if err != nil {
			return "", err
		}
		inside = append(inside, part...)
	}
	s.pos = start
	return "", s.refuse("a double quote that ends")
}

// escaped reads a backslash and what follows. It stays a backslash before a byte that is not among special; an
// escaped line end joins two lines.
func (s *shell) escaped(special string) (string, error) {
	if s.pos+1 == len(s.text) {
		return "", s.refuse("something after the backslash")
	}
	pair := s.text[s.pos : s.pos+2]
	s.pos += 2
	switch {
	case pair[1] == '\n':
		return "", nil
	case special != "" && strings.IndexByte(special, pair[1]) < 0:
		return pair, nil
	}
	return pair[1:], nil
}

// variable reads $NAME, ${NAME}, ${NAME:-} or ${NAME:-word}.
func (s *shell) variable() (string, error) {
	start := s.pos
	s.pos++
	braced := s.skip("{")
	name := s.name(s.pos)
	s.pos += len(name)
	value := s.lookup(name)
	if braced && s.skip(":-") {
		word, _, _ := strings.Cut(s.text[s.pos:], "}")
		if strings.ContainsAny(word, "$`\"'\\~{\n") {
			name = "" // a word that a shell would read on
		}
		s.pos += len(word)
		if value == "" {
			value = word
		}
	}
	if name == "" || braced && !s.skip("}") {
		s.pos = start
		return "", s.refuse("$NAME, ${NAME}, ${NAME:-} or ${NAME:-word}")
	}
	return value, nil
}

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
