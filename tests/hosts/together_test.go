package hosts

import (
	"strings"
	"testing"
)

// trainInAGroup makes a job of three hosts of which the last two train together.
func trainInAGroup(l *lab) {
	const resource = `{"current_host":"HOST","hosts":["algo-1","algo-2","algo-3"],"current_instance_type":"x",
"network_interface_name":"eth0","current_group_name":"GROUP","instance_groups":[
{"instance_group_name":"data","instance_type":"x","hosts":["algo-1"]},
{"instance_group_name":"train","instance_type":"x","hosts":["algo-2","algo-3"]}]}`
	for i, h := range l.hosts {
		group := []string{"data", "train", "train"}[i]
		own := strings.NewReplacer("HOST", h.name, "GROUP", group)
		h.write("ml/input/config/resourceconfig.json", own.Replace(resource))
		h.write("ml/input/config/hyperparameters.json", `{"sagemaker_distribution_instance_groups":"[\"train\"]"}`)
	}
}

// TestTrainersKnowTheHostsThatTrainTogether: each trainer is told of the hosts of its group, and of the slots
// that only these hosts know, without a launcher and by the ranks of one.
func TestTrainersKnowTheHostsThatTrainTogether(t *testing.T) {
	const script = `got="$ENTRAIN_NNODES $ENTRAIN_NODE_RANK $ENTRAIN_LEADER $ENTRAIN_NPROC $ENTRAIN_WORLD_SIZE"
got="$got $MASTER_ADDR $0 $(echo $(cat $ENTRAIN_HOSTFILE))"
test "$got" = "$WANT" || { echo "ValueError: $got, want $WANT" >&2; exit 1; }`
	const both = " 6 algo-2 slots=2 algo-3 slots=4"
	known := map[int][]string{
		0: {"ENTRAIN_SLOTS=1", "WANT=2  0 1 6 " + both},
		1: {"ENTRAIN_SLOTS=2", "WANT=2 0 1 2 6 algo-2" + both},
		2: {"ENTRAIN_SLOTS=4", "WANT=2 1 0 4 6 algo-2" + both},
	}
	trainer := []string{"sh", "-c", script, "${ENTRAIN_WORLD_SIZE}"}
	for _, s := range []scenario{
		{name: "no launcher", words: trainArgs(trainer...)},
		{name: "a launcher", words: launchArgs(standIn, trainer...)},
		{name: "ranks", words: append([]string{"ENTRAIN_LAUNCHER=ranks"}, trainArgs(trainer...)...)},
		{name: "torchrun", words: append([]string{"ENTRAIN_LAUNCHER=torchrun"}, trainArgs(trainer...)...)},
	} {
		s.n, s.prepare, s.special, s.codes = 3, trainInAGroup, known, []int{0, 0, 0}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}
