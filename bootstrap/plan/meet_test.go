package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Three hosts of which two train together, with numbers that no other order gives.
const (
	groups = `"hosts":["algo-1","algo-2","algo-3"],"instance_groups":[` +
		`{"instance_group_name":"data","instance_type":"x","hosts":["algo-1"]},` +
		`{"instance_group_name":"train","instance_type":"x","hosts":["algo-2","algo-3"]}]}`
	onAlgo1 = `{"current_host":"algo-1","current_group_name":"data",` + groups
	onAlgo2 = `{"current_host":"algo-2","current_group_name":"train",` + groups
	onAlgo3 = `{"current_host":"algo-3","current_group_name":"train",` + groups
	inTrain = `{"sagemaker_distribution_instance_groups":"[\"train\"]"}`
)

// ourVariables returns the variables of a plan that tell of the hosts that train together, with the names
// alone for that of the hostfile.
func ourVariables(p *Plan) (vars []string) {
	for _, kv := range p.Command.Env {
		if name, value, _ := strings.Cut(kv, "="); name == hostfileVariable {
			vars = append(vars, "H="+strings.TrimPrefix(value, p.Hostfile))
		} else if strings.HasPrefix(name, "ENTRAIN_") && IsVariable(name) {
			vars = append(vars, strings.TrimPrefix(kv, "ENTRAIN_"))
		}
	}
	return vars
}

// TestVariablesForTheUsersOwnLauncher: in the environment and in the words, before and after the hosts have
// met, for hosts of a group and for a host outside.
func TestVariablesForTheUsersOwnLauncher(t *testing.T) {
	slots := map[string]int{"algo-1": 1, "algo-2": 2, "algo-3": 4}
	const hostfile = "algo-2 slots=2\nalgo-3 slots=4\n"
	const ungrouped = `{"text":"${ENTRAIN_WORLD_SIZE}"}`
	grouped := strings.Replace(inTrain, "{", `{"text":"${ENTRAIN_WORLD_SIZE}",`, 1)
	for _, c := range []struct {
		name, hp, resource string
		before, after      string
		word, hostfile     string
	}{
		{
			"alone", ungrouped, alone, "NNODES=1 NODE_RANK=0 LEADER=1 NPROC=4 WORLD_SIZE=4 H=", "",
			"1 0 1 4 4", "algo-1 slots=4\n",
		},
		{
			"the first", grouped, onAlgo2, "NNODES=2 NODE_RANK=0 LEADER=1 NPROC=4 H=", " WORLD_SIZE=6",
			"2 0 1 4 6", hostfile,
		},
		{
			"the second", grouped, onAlgo3, "NNODES=2 NODE_RANK=1 LEADER=0 NPROC=4 H=", " WORLD_SIZE=6",
			"2 1 0 4 6", hostfile,
		},
		{
			"outside", grouped, onAlgo1, "NNODES=2 NODE_RANK= LEADER=0 NPROC=4 H=", " WORLD_SIZE=6",
			"2  0 4 6", hostfile,
		},
	} {
		o := options("own", "${ENTRAIN_NNODES} ${ENTRAIN_NODE_RANK} ${ENTRAIN_LEADER} ${ENTRAIN_NPROC} "+
			"${ENTRAIN_WORLD_SIZE}", "${ENTRAIN_HOSTFILE}")
		o.Slots = 4
		in := photographJob(t, c.hp, c.resource)
		p, err := in.Plan(o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := strings.Join(ourVariables(p), " "); got != c.before {
			t.Errorf("%s, before: %q, want %q", c.name, got, c.before)
		}
		met, err := p.Meet(slots)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := strings.Join(ourVariables(met), " "); got != c.before+c.after {
			t.Errorf("%s, after: %q, want %q", c.name, got, c.before+c.after)
		}
		// The value of a hyperparameter is never expanded, not even the second time.
		want := []string{"own", c.word, met.Hostfile, "--text", "${ENTRAIN_WORLD_SIZE}"}
		if diff := cmp.Diff(want, met.Command.Argv); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if met.HostfileText() != c.hostfile || !met.NeedsHostfile() {
			t.Errorf("%s: the hostfile is %q", c.name, met.HostfileText())
		}
		if strings.Contains(strings.Join(p.Command.Env, "\n"), "WORLD_SIZE=") != (c.after == "") {
			t.Errorf("%s: the first plan has changed", c.name)
		}
	}
}

// TestWhatOnlyTheRendezvousKnows is shown by its name before, and refused in a word if the hosts do not meet.
func TestWhatOnlyTheRendezvousKnows(t *testing.T) {
	p, err := photographJob(t, "{}", two).Plan(options("own", "-n", "${ENTRAIN_WORLD_SIZE}"))
	if err != nil || !cmp.Equal(p.Command.Argv, []string{"own", "-n", "${ENTRAIN_WORLD_SIZE}"}) ||
		!cmp.Equal(p.Later(), []string{"ENTRAIN_WORLD_SIZE"}) {
		t.Errorf("%v: %q, later %q", err, p.Command.Argv, p.Later())
	}
	for _, word := range []string{"${ENTRAIN_WORLD_SIZE}", "${ENTRAIN_HOSTFILE}"} {
		o := options("own", word)
		o.Rendezvous.On = false
		_, err = photographJob(t, "{}", two).Plan(o)
		const text = " is known only once the hosts have met"
		if err == nil || !isUsage(err) || !strings.Contains(err.Error(), word+text) {
			t.Errorf("%s without a rendezvous: %v", word, err)
		}
	}
	o := options("own", "${ENTRAIN_NNODES}")
	o.Rendezvous.On = false
	if p, err = photographJob(t, "{}", two).Plan(o); err != nil || p.Later() != nil || p.Hostfile != "" {
		t.Errorf("without a rendezvous: %v, later %q, hostfile %q", err, p.Later(), p.Hostfile)
	}
}

// TestVariablesOfTheContainerStay: a user's own value counts, also for what the hosts learn later.
func TestVariablesOfTheContainerStay(t *testing.T) {
	in := photographJob(t, "{}", two, "ENTRAIN_WORLD_SIZE=9", "ENTRAIN_HOSTFILE=/mine", "ENTRAIN_NNODES=7")
	p, err := in.Plan(options("own", "${ENTRAIN_WORLD_SIZE}", "${ENTRAIN_HOSTFILE}", "${ENTRAIN_NNODES}"))
	if err != nil {
		t.Fatal(err)
	}
	met, err := p.Meet(map[string]int{"algo-1": 1, "algo-2": 1})
	if err != nil || !cmp.Equal(met.Command.Argv, []string{"own", "9", "/mine", "7"}) || met.Hostfile != "" {
		t.Errorf("%v: %q, hostfile %q", err, met.Command.Argv, met.Hostfile)
	}
}
