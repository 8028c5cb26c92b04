package hosts

import (
	"strings"
	"testing"
	"time"
)

// nameInterface is a preparation in which resourceconfig.json names an interface on a host. The name eth1 is
// that of an interface which the host gets in addition, in another network.
func nameInterface(name string, hosts ...int) func(*lab) {
	return func(l *lab) {
		for _, i := range hosts {
			const file = "ml/input/config/resourceconfig.json"
			h := l.hosts[i]
			h.write(file, strings.Replace(h.read(file), `"eth0"`, `"`+name+`"`, 1))
			const add = `ip link add eth1 type veth peer name far1 && ip addr add 10.78.0.1/24 dev eth1 &&
ip link set far1 up && ip link set eth1 up`
			must(l.t, h.in("sh", "-c", add)...)
		}
	}
}

// TestInterfaceThatIsNamedWrongly checks jobs whose resourceconfig.json names an interface to which the names
// of the hosts do not lead, or one that does not exist.
func TestInterfaceThatIsNamedWrongly(t *testing.T) {
	const missing = `resourceconfig.json:\d+:\d+: network_interface_name is "eth7", ` +
		`but this host has only the interfaces lo, eth0, `
	for _, s := range []scenario{
		{
			name: "the names lead to another interface of the leader", words: trainArgs("true"),
			prepare: nameInterface("eth1", 0), codes: []int{0, 0}, before: true,
			act: func(l *lab) {
				l.hosts[0].job.waitFor("listening for the other hosts at 10.78.0.1:7791 and 10.77.0.1:7791")
			},
		},
		{
			name: "the names lead to another interface of all hosts of a launch", words: launchArgs(standIn, "true"),
			prepare: nameInterface("eth1", 0, 1), codes: []int{0, 0},
		},
		{
			name: "the interface does not exist", words: trainArgs("true"), prepare: nameInterface("eth7", 1),
			codes: []int{0, 0}, before: true,
			act: func(l *lab) { l.hosts[1].job.waitFor(`network_interface_name is "eth7", but this host has`) },
		},
		{
			name: "the interface does not exist on a worker of a launch", words: launchArgs(standIn, "true"),
			prepare: nameInterface("eth7", 1), codes: []int{65, 65}, failure: "algo-2: " + missing,
			failed: map[int]string{1: missing},
		},
		{
			name: "the leader's name leads to an address that no host has", codes: []int{69, 69}, before: true,
			words: []string{"run", "--args-style", "none", "--wait-timeout", "4s", "--", "true"},
			files: map[string]string{"hosts": "10.77.0.9 algo-1\n10.77.0.2 algo-2\n"}, act: func(*lab) {},
			failure: "1 of 2 hosts missing after 4s: algo-2 .*\n" +
				`it may be this host: algo-1 is this host's name, but it resolves to \[10.77.0.9\]`,
			failed: map[int]string{1: "1 of 2 hosts missing after 4s: algo-1 .*"}, within: 8 * time.Second,
		},
	} {
		s.n = 2
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}
