package mpi

import (
	"slices"
	"strings"
)

// Daemon is the program that a launcher starts on another host.
type Daemon struct {
	Argv []string
	Env  []string // KEY=VALUE as the words set and export it, in order; the rest is the host's own
}

// daemons are the programs that may be started: those of Open MPI 4 and 5, Hydra and Intel MPI.
func daemons() []string { return []string{"orted", "prted", "hydra_pmi_proxy", "hydra_bstrap_proxy"} }

// profile is what Open MPI puts before its words where the user's login shell is sh or ksh, with a bracket behind
// them. No profile is read here: the daemon's environment is the one that its host computed.
const profile = "( test ! -r ./.profile || . ./.profile;"

// ParseDaemon reads the words that a launcher gives its agent after the host's name. sshd would have a shell join and
// read them; here they are joined and read without one, and only this is understood, quoted as in a shell:
//
//	NAME=value… ; export NAME… ; NAME=value… daemon argument…
//
// A value may hold $NAME, ${NAME}, ${NAME:-} and ${NAME:-word}: what was set before, and what env holds, in which the
// first of equal names counts. The daemon is one of the known four, by its name or its absolute path. Anything else
// is refused.
func ParseDaemon(words, env []string) (Daemon, error) {
	s := &shell{text: strings.Join(words, " "), env: env}
	if at := strings.IndexByte(s.text, 0); at >= 0 {
		s.pos = at
		return Daemon{}, s.refuse("no NUL byte")
	}
	s.blanks()
	grouped := s.skip(profile)
	if err := s.statements(); err != nil {
		return Daemon{}, err
	}
	argv, err := s.daemon()
	if err != nil {
		return Daemon{}, err
	}
	if grouped && !s.skip(")") {
		return Daemon{}, s.refuse("the ) that closes the words")
	}
	s.blanks()
	if s.pos < len(s.text) {
		return Daemon{}, s.refuse("nothing more after the daemon's arguments")
	}
	return Daemon{Argv: argv, Env: s.environment()}, nil
}

// statements reads what stands before the daemon.
func (s *shell) statements() error {
	for {
		s.blanks()
		if s.skip("export ") {
			if err := s.export(); err != nil {
				return err
			}
		} else if err := s.assignments(); err != nil {
			return err
		} else if len(s.assigned) == 0 {
			return nil
		}
		if !s.skip(";") { // the daemon follows, for which alone the last assignments are: its words do not see them
			s.own, s.assigned = s.assigned, nil
			return nil
		}
		s.vars, s.assigned = overlay(s.vars, s.assigned), nil
	}
}

func (s *shell) assignments() error {
	for {
		name := s.name(s.pos)
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
		s.blanks()
	}
}

func (s *shell) export() error {
	for {
		s.blanks()
		name := s.name(s.pos)
		s.pos += len(name)
		if name == "" || s.pos == len(s.text) || strings.IndexByte(" \t;", s.text[s.pos]) < 0 {
			return s.refuse("export NAME ;")
		}
		s.exports = append(s.exports, name)
		s.blanks()
		if s.pos < len(s.text) && s.text[s.pos] == ';' {
			return nil
		}
	}
}

func (s *shell) daemon() ([]string, error) {
	start := s.pos
	first, err := s.word(false)
	if err != nil {
		return nil, err
	}
	slash := strings.LastIndexByte(first, '/')
	if !slices.Contains(daemons(), first[slash+1:]) || slash >= 0 && first[0] != '/' {
		s.pos = start
		return nil, s.refuse(strings.Join(daemons(), ", ") + ", by name or absolute path")
	}
	argv := []string{first}
	for {
		s.blanks()
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

// environment is what the words changed in the daemon's.
func (s *shell) environment() []string {
	var exported []variable
	for _, v := range s.vars {
		if _, inherited := lookup(s.env, v.name); inherited || slices.Contains(s.exports, v.name) {
			exported = append(exported, v)
		}
	}
	var env []string
	for _, v := range overlay(exported, s.own) {
		env = append(env, v.name+"="+v.value)
	}
	return env
}
