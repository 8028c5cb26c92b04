package bootstrap

import (
	"bytes"
	"encoding/json"

	"entrain/contract"
	"entrain/hparams"
)

// DefaultSpec is where an image may have its algorithm's specification.
const DefaultSpec = contract.DefaultSpec

// Spec is a first specification of the job's algorithm, as JSON for people to go on with.
func (in *Inspection) Spec() string {
	var b bytes.Buffer
	_ = json.Indent(&b, []byte(hparams.JSON(contract.SpecOf(in.Job), hparams.PlainJSON())), "", "  ") // what we wrote is JSON
	return b.String() + "\n"
}
