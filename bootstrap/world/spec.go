package world

import (
	"cmp"

	"entrain/contract"
)

// NoSpec is no file's name: it asks Photograph for the contract alone, whatever the image has.
const NoSpec = "\x00"

// readSpec reads the algorithm's specification.
func readSpec(s *contract.Snapshot, path string) {
	if path == NoSpec {
		return
	}
	file := readFile(cmp.Or(path, contract.DefaultSpec))
	if path != "" || file.Problem != missing {
		s.Spec, s.SpecPath = file, cmp.Or(path, contract.DefaultSpec)
	}
}
