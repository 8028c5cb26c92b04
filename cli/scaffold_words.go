//go:build linux

package cli

import (
	"path/filepath"
	"strings"

	"entrain/bootstrap"
)

// fromHere names something in a tree for a shell: relative if the tree was given so.
func fromHere(place bootstrap.Place, name string) string {
	path := filepath.Join(place.Dir, name)
	if rel, ok := place.Relative(); ok {
		path = filepath.Join(rel, name)
	}
	if strings.HasPrefix(path, "-") {
		path = "./" + path // a flag otherwise
	}
	return bootstrap.ShellQuote(path)
}

// mount is docker's flag for a directory of a tree.
func mount(place bootstrap.Place, name, target string) string {
	rel, ok := place.Relative()
	outside := strings.TrimSuffix(place.Dir, rel) // what $PWD is, unless a container hides it
	if ok && (place.Contained || !strings.ContainsAny(outside, `:"`)) {
		return bind(`"$PWD"`, "/"+filepath.Join(rel, name), target)
	}
	return bind("", filepath.Join(place.Dir, name), target)
}

// bind is docker's flag for a directory whose name begins with a word that the shell expands. In -v a colon
// ends the name. In --mount nothing does, if it is quoted as in CSV.
func bind(first, rest, target string) string {
	if strings.Contains(rest, ":") {
		rest = strings.ReplaceAll(rest, `"`, `""`)
		return "--mount " + bootstrap.ShellQuote(`type=bind,"source=`) +
			first + bootstrap.ShellQuote(rest+`",target=`+target)
	}
	rest += ":" + target
	if quoted := bootstrap.ShellQuote(rest); quoted != rest {
		return "-v " + first + quoted
	}
	if first == "" {
		return "-v " + rest
	}
	return "-v " + strings.TrimSuffix(first, `"`) + rest + `"`
}
