package plan

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/mpi"
)

// TestTogether: a host knows its place among the hosts of the distribution at once, and the ranks of the
// others after the rendezvous.
func TestTogether(t *testing.T) {
	const (
		grouped = `{"current_host":"%s","hosts":["algo-1","algo-2","algo-3"],"current_group_name":"%s",` +
			`"instance_groups":[{"instance_group_name":"data","instance_type":"ml.c5.xlarge","hosts":["algo-1"]},` +
			`{"instance_group_name":"train","instance_type":"ml.p4d.24xlarge","hosts":["algo-3","algo-2"]}]}`
		inTrain  = `{"sagemaker_distribution_instance_groups":"[\"train\"]"}`
		single   = `{"current_host":"%s","hosts":["algo-2"],"current_group_name":"%s"}`
		three    = `{"current_host":"%s","hosts":["algo-10","algo-2","algo-1"],"current_group_name":"%s"}`
		nobody   = -1
		ofSlots2 = 2
	)
	slots := map[string]int{"algo-1": 1, "algo-2": 2, "algo-3": 4, "algo-10": 3}
	for _, c := range []struct {
		name, hp, resource, host, group string
		leader                          string
		n, index, base, world           int
	}{
		{"alone", "{}", single, "algo-2", "g", "algo-2", 1, 0, 0, 2},
		{"first", "{}", three, "algo-10", "g", "algo-10", 3, 0, 0, 6},
		{"second", "{}", three, "algo-2", "g", "algo-10", 3, 1, 3, 6},
		{"last", "{}", three, "algo-1", "g", "algo-10", 3, 2, 5, 6},
		{"first of a group", inTrain, grouped, "algo-3", "train", "algo-3", 2, 0, 0, 6},
		{"second of a group", inTrain, grouped, "algo-2", "train", "algo-3", 2, 1, 4, 6},
		{"outside of the group", inTrain, grouped, "algo-1", "data", "algo-3", 2, nobody, 0, 6},
	} {
		in := photographJob(t, c.hp, fmt.Sprintf(c.resource, c.host, c.group))
		before, err := TogetherOf(in.Job, ofSlots2)
		if err != nil {
			t.Fatal(err)
		}
		after := before.Meet(slots)
		got := []any{after.Leader(), len(after.Hosts), after.Index, after.Base(), after.World(), after.IsMember()}
		want := []any{c.leader, c.n, c.index, c.base, c.world, c.index >= 0}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if before.Slots != ofSlots2 || before.Met != (c.n == 1) || !after.Met {
			t.Errorf("%s: %+v, then %+v", c.name, before, after)
		}
	}
}

// TestMeetingChangesNoOtherValue: the value before the rendezvous stays as it was.
func TestMeetingChangesNoOtherValue(t *testing.T) {
	before, err := TogetherOf(photographJob(t, "{}", two).Job, 2)
	if err != nil {
		t.Fatal(err)
	}
	after := before.Meet(map[string]int{"algo-1": 8})
	for _, c := range []struct {
		when string
		got  []mpi.Host
		want []mpi.Host
	}{
		{"before", before.Hosts, []mpi.Host{{Name: "algo-1", Slots: 2}, {Name: "algo-2", Slots: 2}}},
		{"after", after.Hosts, []mpi.Host{{Name: "algo-1", Slots: 8}, {Name: "algo-2", Slots: 1}}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.when, diff)
		}
	}
}
