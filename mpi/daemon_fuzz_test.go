package mpi

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// quote writes a word so that a shell reads it back, in one of three ways.
func quote(word string, way uint8) string {
	switch way % 3 {
	case 0:
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	case 1:
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(word) + `"`
	default:
		quoted := `""`
		for i := range len(word) {
			if word[i] == '\n' {
				quoted += "'\n'"
			} else {
				quoted += `\` + word[i:i+1]
			}
		}
		return quoted
	}
}

func FuzzParseDaemon(f *testing.F) {
	for _, c := range launcherWords {
		f.Add(strings.Join(c.words, " "), "a b", uint8(0))
	}
	f.Add("A=1 ; export A ; orted \"$A\" ${B:-c}", "$HOME`'\"\\\n", uint8(1))
	f.Fuzz(func(t *testing.T, text, word string, way uint8) {
		d, err := ParseDaemon(strings.Split(text, " "), hostEnv)
		_ = d.Upstream() // whatever the arguments are
		if err == nil {
			if len(d.Argv) == 0 || !slices.Contains(daemonNames(), filepath.Base(d.Argv[0])) {
				t.Fatalf("%q starts %q", text, d.Argv)
			}
			for _, v := range d.Env {
				if name, _, ok := strings.Cut(v, "="); !ok || name == "" || strings.Contains(v, "\x00") {
					t.Fatalf("%q sets %q", text, v)
				}
			}
		}
		if strings.Contains(word, "\x00") {
			return
		}
		quoted := quote(word, way)
		d, err = ParseDaemon([]string{"A=" + quoted, ";", "export", "A;", "/x/orted", quoted, `"$A"`}, nil)
		want := Daemon{[]string{"/x/orted", word, word}, []string{"A=" + word}}
		if diff := cmp.Diff(want, d); err != nil || diff != "" {
			t.Fatalf("%q: %v (-want +got):\n%s", quoted, err, diff)
		}
	})
}
