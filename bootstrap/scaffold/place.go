package scaffold

import (
	"os"
	"path/filepath"
	"strings"

	"entrain/bootstrap/world"
)

// Place says where a tree is, so that messages can name it in commands for the user's shell.
type Place struct {
	Dir       string // the absolute path, as entrain sees it
	Name      string // the path that the user gave
	Contained bool   // a container engine started entrain, so the user's shell does not see Dir
	Mount     string // if Contained: the mount that holds Dir; empty for the container's own file system
}

// NewPlace makes the Place of the directory dir, for which the user gave name.
func NewPlace(dir, name string) Place {
	p := Place{Dir: dir, Name: name, Contained: world.ByEngine("/proc")}
	if p.Contained {
		mounts, _ := os.ReadFile("/proc/self/mountinfo") // without it, Mount is empty
		p.Mount = mountOf(string(mounts), dir)
	}
	return p
}

// Relative returns the path of the tree from the directory in which the user's shell is. It returns false if
// only the absolute path is certain: a path with .. can lead elsewhere if the shell came to its directory by
// a link.
func (p *Place) Relative() (string, bool) {
	if p.Contained {
		rel, err := filepath.Rel(p.Mount, p.Dir)
		return rel, err == nil && p.Mount != ""
	}
	return filepath.Clean(p.Name), filepath.IsLocal(p.Name)
}

// mountOf returns the innermost mount that holds a path, and an empty text for the root directory's mount.
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
