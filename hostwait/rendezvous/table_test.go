package rendezvous

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

// TestTable: the table gives back what the hosts told. Hosts that are alike do not make it longer.
func TestTable(t *testing.T) {
	var hosts []string
	var alike, mixed []Member
	for i := range 4000 {
		hosts = append(hosts, fmt.Sprintf("algo-%d", i+1))
		alike = append(alike, Member{Host: hosts[i], Slots: 8, CPUs: 96, Accelerators: 8})
		mixed = append(mixed, Member{Host: hosts[i], Slots: i / 1000, CPUs: 4, PublicKey: "k"[:i%2]})
	}
	for _, members := range [][]Member{alike, mixed} {
		got, err := membersOf(rowsOf(members), hosts)
		if err != nil || !slices.Equal(got, members) {
			t.Errorf("%v: the table has %d hosts that may differ", err, len(got))
		}
	}
	if text, _ := json.Marshal(rowsOf(alike)); len(text) > 100 {
		t.Errorf("%d bytes for hosts that are alike: %s", len(text), text)
	}
	for _, bad := range [][]row{
		nil, {{Hosts: 3999}}, {{Hosts: 4001}}, {{Hosts: 3999}, {Hosts: -1}, {Hosts: 2}},
	} {
		if _, err := membersOf(bad, hosts); err == nil {
			t.Errorf("%+v is a table", bad)
		}
	}
}

// TestTableGoesToHostsThatUseIt: no other host is sent the table.
func TestTableGoesToHostsThatUseIt(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNetwork(t, 3)
	all := make([]*Session, len(n.hosts))
	for i := range n.hosts {
		n.change = func(c *Config) { c.Table = i == 1 }
		all[i] = n.open(i)
		all[i].Ready(nil)
	}
	for i, s := range all {
		table, err := s.Gather(t.Context())
		if err != nil || table == nil || (len(table) == 3) != (i == 1) {
			t.Errorf("h%d: %v, %v", i, table, err)
		}
		s.mu.Lock()
		if sent := len(s.lastView.Members) > 0; sent != (i == 1) {
			t.Errorf("h%d was sent %s", i, s.lastView.Members)
		}
		s.mu.Unlock()
	}
	for i, err := range leave(t, all, End{}, End{}, End{}) {
		if err != nil {
			t.Errorf("h%d: %v", i, err)
		}
	}
}
