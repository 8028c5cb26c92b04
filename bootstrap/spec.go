package bootstrap

import (
	"bytes"
	"cmp"
	"encoding/json"

	"entrain/contract"
	"entrain/hparams"
)

// DefaultSpec is where an image may have its algorithm's specification.
const DefaultSpec = contract.DefaultSpec

// NoSpec is no file's name: it asks Inspect for the contract alone, whatever the image has.
const NoSpec = "\x00"

// photographSpec reads the algorithm's specification.
func photographSpec(s *contract.Snapshot, path string) {
	if path == NoSpec {
		return
	}
	file := readFile(cmp.Or(path, contract.DefaultSpec))
	if path != "" || file.Problem != missing {
		s.Spec, s.SpecPath = file, cmp.Or(path, contract.DefaultSpec)
	}
}

// Spec is a first specification of the job's algorithm, as JSON for people to go on with.
func (in *Inspection) Spec() string {
	var b bytes.Buffer
	_ = json.Indent(&b, []byte(hparams.JSON(contract.SpecOf(in.Job), hparams.PlainJSON())), "", "  ") // what we wrote is JSON
	return b.String() + "\n"
}
