package world

import (
	"cmp"

	"entrain/contract"
)

// NoSpec is a spec path for Photograph: it reads no algorithm specification, even if the image has one. No
// file can have this name.
const NoSpec = "\x00"

// readSpec reads the algorithm specification at path. An empty path means the default one, if it exists.
func readSpec(s *contract.Snapshot, path string, look Look) {
	if path == NoSpec {
		return
	}
	look(cmp.Or(path, contract.DefaultSpec))
	file := readFile(cmp.Or(path, contract.DefaultSpec))
	if path != "" || file.Problem != missing {
		s.Spec, s.SpecPath = file, cmp.Or(path, contract.DefaultSpec)
	}
}
