package report

import (
	"cmp"
	"strings"

	"entrain/proc"
)

// InstallError says that what the job's code needs could not be installed.
type InstallError struct {
	Words []string        // the command
	Exit  *proc.ExitError // how it ended
}

func (e *InstallError) Error() string {
	return strings.Join(e.Words, " ") + " failed: " + cmp.Or(causeOf(e.Exit.Exit), e.Exit.How()) +
		"\nhint: install it in the Dockerfile, and set --install off (ENTRAIN_INSTALL=off)"
}

// InstallFailureOf returns the error of an installation that ended, and nil if it succeeded.
func InstallFailureOf(words []string, exit proc.Exit) error {
	if exit.Code == 0 {
		return nil
	}
	return &InstallError{Words: words, Exit: &proc.ExitError{Program: words[0], Exit: exit}}
}
