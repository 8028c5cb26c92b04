package mpi

import (
	"fmt"
	"regexp"
	"strings"
)

// fromCSH translates the words that Open MPI writes where the user's login shell is csh or tcsh
// (plm_rsh_module.c) into those that it writes for sh. It returns any other text as it is. Open MPI writes
// these words in one form alone: it puts its directories in front of PATH, LD_LIBRARY_PATH and
// DYLD_LIBRARY_PATH.
func fromCSH(text string) string {
	rest, isCSH := strings.CutPrefix(strings.TrimLeft(text, " "), "set path = ( ")
	if !isCSH {
		return text
	}
	// A value with other characters would need quoting, so the text is refused.
	const value = `[\w./:+,@%=-]+`
	path := regexp.MustCompile(`^(` + value + `) \$path \) *; *`).FindStringSubmatch(rest)
	if path == nil {
		return text
	}
	rest = rest[len(path[0]):]
	words := fmt.Sprintf("PATH=%s:$PATH ; export PATH ; ", path[1])
	library := regexp.MustCompile(`^if \( \$\?(\w+) == 1 \) set (\w+) *; *` +
		`if \( \$\?(\w+) == 0 \) setenv (\w+) (` + value + `) *; *` +
		`if \( \$\?(\w+) == 1 \) setenv (\w+) (` + value + `):\$(\w+) *; *`)
	for {
		part := library.FindStringSubmatch(rest)
		if part == nil {
			return words + rest
		}
		name, marker := part[1], part[2]
		if part[3] != name || part[4] != name || part[6] != marker || part[7] != name || part[9] != name {
			return text
		}
		words += fmt.Sprintf("%s=%s:${%s:-} ; export %s ; ", name, part[8], name, name)
		rest = rest[len(part[0]):]
	}
}
