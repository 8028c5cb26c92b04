package mpi

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWordsForCSHAreRead: they mean what those for sh mean. Other words of csh are refused.
func TestWordsForCSHAreRead(t *testing.T) {
	const path = "    set path = ( /usr/bin $path ) ; "
	const library = "if ( $?LD_LIBRARY_PATH == 1 ) set OMPI_have_llp ; " +
		"if ( $?LD_LIBRARY_PATH == 0 ) setenv LD_LIBRARY_PATH /usr/lib ; " +
		"if ( $?OMPI_have_llp == 1 ) setenv LD_LIBRARY_PATH /usr/lib:$LD_LIBRARY_PATH ; "
	want := Daemon{
		[]string{"/usr/bin/orted", "-mca", "ess", "env"},
		[]string{"PATH=/usr/bin:/bin:/usr/bin", "LD_LIBRARY_PATH=/usr/lib:"},
	}
	got, err := ParseDaemon([]string{path + library + "  /usr/bin/orted", "-mca", "ess", `"env"`}, hostEnv)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, text := range []string{
		path + "rm -r x", path + "if ( 1 ) orted", "set path = ( `x` $path ) ; orted",
		"set path = ( /a;reboot $path ) ; orted",
	} {
		if d, err := ParseDaemon([]string{text}, hostEnv); err == nil {
			t.Errorf("%s: starts %q", text, d.Argv)
		}
	}
}
