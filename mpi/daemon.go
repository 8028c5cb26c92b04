package mpi

import (
	"slices"
	"strings"
)

// Daemon is the program that a launcher starts on another host.
type Daemon struct {
	Argv []string
	// Env holds the variables that the words set and export, as KEY=VALUE, in their order. The daemon gets them
	// in addition to its host's own environment.
	Env []string
}

// daemonNames are the programs that ParseDaemon accepts: those of Open MPI 4, Open MPI 5, Hydra and Intel
// MPI.
func daemonNames() []string {
	return []string{"orted", "prted", "hydra_pmi_proxy", "hydra_bstrap_proxy"}
}

// profilePrefix is the text that Open MPI puts before its words where the user's login shell is sh or ksh. A
// closing bracket follows the words. entrain reads no profile: the host has already computed the daemon's
// environment.
const profilePrefix = "( test ! -r ./.profile || . ./.profile;"

// ParseDaemon reads the words that a launcher gives its agent after the host's name. sshd would join them and
// give them to a shell. ParseDaemon joins them too, but runs no shell. It accepts only this form, quoted as
// in a shell:
//
//	NAME=value… ; export NAME… ; NAME=value… daemon argument…
//
// A value may hold $NAME, ${NAME}, ${NAME:-} and ${NAME:-word}. They stand for variables that the words set
// earlier, or that env holds; the first of equal names in env counts. The daemon is one of the four known
// programs, given by its name or its absolute path. Everything else is an error that says at which byte of
// the joined words it stands. Open MPI's words for csh are translated first: see fromCSH.
func ParseDaemon(words, env []string) (Daemon, error) {
	s := &shell{quoting: quoting{text: fromCSH(strings.Join(words, " "))}, env: env}
	if at := strings.IndexByte(s.text, 0); at >= 0 {
		s.pos = at
		return Daemon{}, s.errorHere("no NUL byte")
	}
	s.skipBlanks()
	grouped := s.skipText(profilePrefix)
	if err := s.statements(); err != nil {
		return Daemon{}, err
	}
	argv, err := s.command()
	if err != nil {
		return Daemon{}, err
	}
	if grouped && !s.skipText(")") {
		return Daemon{}, s.errorHere("the ) that closes the words")
	}
	s.skipBlanks()
	if s.pos < len(s.text) {
		return Daemon{}, s.errorHere("nothing more after the daemon's arguments")
	}
	return Daemon{Argv: argv, Env: s.environment()}, nil
}

// statements reads the assignments and exports before the daemon.
func (s *shell) statements() error {
	for {
		s.skipBlanks()
		if s.skipText("export ") {
			if err := s.export(); err != nil {
				return err
			}
		} else if err := s.assignments(); err != nil {
			return err
		} else if len(s.assigned) == 0 {
			return nil
		}
		if !s.skipText(";") {
			// The daemon follows. These assignments are for the daemon alone: a $NAME in its arguments does not see
			// them (POSIX XCU 2.9.1).
			s.daemonOnly, s.assigned = s.assigned, nil
			return nil
		}
		s.vars, s.assigned = overlay(s.vars, s.assigned), nil
	}
}

// assignments reads NAME=value as often as it follows.
func (s *shell) assignments() error {
	for {
		name := s.nameAt(s.pos)
		value := s.pos + len(name) + 1
		if name == "" || value > len(s.text) || s.text[value-1] != '=' {
			return nil
		}
		s.pos = value
		text, err := s.word(true)
		if err != nil {
			return err
		}
		s.assigned = overlay(s.assigned, []variable{{name, text}})
		s.skipBlanks()
	}
}

// export reads the names after the word export, up to the semicolon.
func (s *shell) export() error {
	for {
		s.skipBlanks()
		name := s.nameAt(s.pos)
		s.pos += len(name)
		if name == "" || s.pos == len(s.text) || strings.IndexByte(" \t;", s.text[s.pos]) < 0 {
			return s.errorHere("export NAME ;")
		}
		s.exports = append(s.exports, name)
		s.skipBlanks()
		if s.pos < len(s.text) && s.text[s.pos] == ';' {
			return nil
		}
	}
}

// command reads the daemon and its arguments.
func (s *shell) command() ([]string, error) {
	start := s.pos
	first, err := s.word(false)
	if err != nil {
		return nil, err
	}
	slash := strings.LastIndexByte(first, '/')
	if !slices.Contains(daemonNames(), first[slash+1:]) || slash >= 0 && first[0] != '/' {
		s.pos = start
		return nil, s.errorHere(strings.Join(daemonNames(), ", ") + ", by name or absolute path")
	}
	argv := []string{first}
	for {
		s.skipBlanks()
		if s.pos == len(s.text) || strings.IndexByte(";)", s.text[s.pos]) >= 0 {
			return argv, nil
		}
		word, err := s.word(false)
		if err != nil {
			return nil, err
		}
		argv = append(argv, word)
	}
}

// environment gives the variables that the words change in the daemon's environment. An assignment changes it
// only where the variable is exported, or already in the environment.
func (s *shell) environment() []string {
	var exported []variable
	for _, v := range s.vars {
		if _, inherited := lookup(s.env, v.name); inherited || slices.Contains(s.exports, v.name) {
			exported = append(exported, v)
		}
	}
	var env []string
	for _, v := range overlay(exported, s.daemonOnly) {
		env = append(env, v.name+"="+v.value)
	}
	return env
}
