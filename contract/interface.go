package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// CheckInterface returns a problem if this host lacks the network interface that resourceconfig.json names.
// It is a warning unless the job needs that interface. Nothing is wrong with an interface that the file does
// not name, or if the interfaces of this host are unknown.
func CheckInterface(j *Job, s *Snapshot, needed bool) []Problem {
	v, named := optionalMember(j.Resource, "network_interface_name")
	if !named || len(s.Interfaces) == 0 || slices.Contains(s.Interfaces, j.Interface) {
		return nil
	}
	var problems []Problem
	d := configDocument(s, ResourceFile, &problems)
	d.addProblem(v.Pos, !needed, "", "network_interface_name is %s, but this host has only the interfaces %s",
		[]any{hparams.Quote(j.Interface), strings.Join(s.Interfaces, ", ")})
	return problems
}
