package scaffold

import (
	"os"
	"path/filepath"
	"strings"

	"entrain/bootstrap/world"
)

// Place is where a tree is, for somebody who is to name it in a command.
type Place struct {
	Dir       string // absolute, as entrain sees it
	Name      string // as it was given
	Contained bool   // entrain is a container's own program, and nobody's shell sees Dir
	Mount     string // the mount that Dir is in then, empty for the container's own layer
}

// NewPlace looks where a directory is.
func NewPlace(dir, name string) Place {
	p := Place{Dir: dir, Name: name, Contained: world.ByEngine("/proc")}
	if p.Contained {
		mounts, _ := os.ReadFile("/proc/self/mountinfo") // without it, there is no mount
		p.Mount = mountOf(string(mounts), dir)
	}
	return p
}

// Relative is the path from the directory that the commands are called in. It is false where only the whole
// path is sure: .. may mean something else where the shell has come by a link.
func (p *Place) Relative() (string, bool) {
	if p.Contained {
		rel, err := filepath.Rel(p.Mount, p.Dir)
		return rel, err == nil && p.Mount != ""
	}
	return filepath.Clean(p.Name), filepath.IsLocal(p.Name)
}

// mountOf is the innermost mount that a path is in, empty for the root.
func mountOf(mountinfo, path string) (found string) {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		mount := unescape.Replace(fields[4])
		inside := path == mount || strings.HasPrefix(path, mount+"/")
		if mount != "/" && inside && len(mount) >= len(found) {
			found = mount
		}
	}
	return found
}
