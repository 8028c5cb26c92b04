package rendezvous

import "fmt"

// row is a part of the table that the leader sends at the release: hosts that follow each other in the order
// of ranks, and tell the same about themselves. All hosts know all names, so a row has none. The table of a
// job whose hosts are alike is one row, whatever their number.
type row struct {
	Hosts int `json:"hosts"` // how many
	tells
}

// tells is what a host tells all others about itself, beside its name.
type tells struct {
	Slots        int    `json:"slots"`
	CPUs         int    `json:"cpus"`
	Accelerators int    `json:"accelerators"`
	PublicKey    string `json:"public_key,omitempty"`
}

// rowsOf writes all hosts, in the order of ranks, as rows.
func rowsOf(members []Member) []row {
	var rows []row
	for _, m := range members {
		t := tells{m.Slots, m.CPUs, m.Accelerators, m.PublicKey}
		if last := len(rows) - 1; last >= 0 && rows[last].tells == t {
			rows[last].Hosts++
			continue
		}
		rows = append(rows, row{1, t})
	}
	return rows
}

// membersOf reads the rows for hosts in the order of ranks.
func membersOf(rows []row, hosts []string) ([]Member, error) {
	members := make([]Member, 0, len(hosts))
	for _, r := range rows {
		if r.Hosts < 1 || r.Hosts > len(hosts)-len(members) {
			break
		}
		for range r.Hosts {
			members = append(members, Member{
				Host: hosts[len(members)], Slots: r.Slots, CPUs: r.CPUs, Accelerators: r.Accelerators,
				PublicKey: r.PublicKey,
			})
		}
	}
	if len(members) != len(hosts) {
		return nil, fmt.Errorf("the leader's table has %d hosts, expected %d", len(members), len(hosts))
	}
	return members, nil
}
