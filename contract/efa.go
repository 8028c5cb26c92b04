package contract

import (
	"slices"
	"strconv"
	"strings"
)

// efaRow is a row of the table of instance types that have an Elastic Fabric Adapter. A type is written as in
// p4de.24xlarge: the series p, the generation 4, the options de, the size 24.
type efaRow struct {
	series      string
	first, last int      // the generations
	options     []string // none for any
	size        int      // the smallest size; metal is larger than all
	vars        []string // what a trainer's libraries need beside FI_PROVIDER
}

// latest is the last generation of a row that holds for generations to come too.
const latest = 1 << 20

// efaTable returns the instance types with an adapter and what their libraries need. Sources: "EFA" of the
// EC2 documentation and EFASupported of eksctl (pkg/utils/instance/instance_types.go) for the types and their
// sizes; the open-ended generations of p and trn are those of platform-aws.cpp of the plugin aws-ofi-nccl.
//
// The variables are those of the plugin's own doc/efa-env-var.md for its versions up to 1.5.0 (February
// 2023), which images for these types may hold. Newer types need a newer plugin, and that sets what it needs
// by itself: with NCCL_PROTO=simple, p5 is slower (pull request 280). RDMAV_FORK_SAFE=1, which the SageMaker
// toolkit sets, "can break things" by that document, so no type gets it.
func efaTable() []efaRow {
	simple := []string{"NCCL_PROTO=simple"}
	rdma := []string{"NCCL_PROTO=simple", "FI_EFA_USE_DEVICE_RDMA=1"}
	return []efaRow{
		{"p", 3, 3, []string{"dn"}, 24, simple},
		{"p", 4, 4, []string{"d", "de"}, 0, rdma},
		{"p", 5, latest, nil, 0, nil},
		{"trn", 1, 1, nil, 32, nil},
		{"trn", 2, latest, nil, 0, nil},
		{"g", 4, 4, []string{"dn"}, 8, simple},
		{"g", 5, 5, []string{""}, 8, simple},
		{"g", 6, latest, []string{"", "e"}, 8, nil},
	}
}

// EFA returns the variables that a trainer's libraries need on an instance type with an Elastic Fabric
// Adapter, as KEY=VALUE, and none for any other type. The prefix "ml." is optional.
func EFA(instanceType string) []string {
	family, size, _ := strings.Cut(strings.TrimPrefix(instanceType, "ml."), ".")
	series := family[:len(family)-len(strings.TrimLeft(family, "abcdefghijklmnopqrstuvwxyz"))]
	rest := family[len(series):]
	options := strings.TrimLeft(rest, "0123456789")
	generation, err := strconv.Atoi(rest[:len(rest)-len(options)])
	number, known := sizeNumber(size)
	if err != nil || !known {
		return nil
	}
	for _, row := range efaTable() {
		if row.series == series && row.first <= generation && generation <= row.last &&
			(row.options == nil || slices.Contains(row.options, options)) && number >= row.size {
			return append([]string{"FI_PROVIDER=efa"}, row.vars...)
		}
	}
	return nil
}

// sizeNumber returns 24 for the size 24xlarge, and a larger number than any for metal.
func sizeNumber(size string) (int, bool) {
	if size == "metal" || strings.HasPrefix(size, "metal-") {
		return latest, true
	}
	digits, ok := strings.CutSuffix(size, "xlarge")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0
}
