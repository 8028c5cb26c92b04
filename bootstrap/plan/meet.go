package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"entrain/contract"
	"entrain/mpi"
)

// The variables for a launcher that the user's own command is or starts. They tell of the hosts that train
// together.
const (
	nodesVariable    = "ENTRAIN_NNODES"     // the number of these hosts
	nodeRankVariable = "ENTRAIN_NODE_RANK"  // the place of this host among them, from 0
	leaderVariable   = "ENTRAIN_LEADER"     // 1 on the first of them, else 0
	slotsVariable    = "ENTRAIN_NPROC"      // the number of ranks on this host
	worldVariable    = "ENTRAIN_WORLD_SIZE" // the number of ranks on all of them
	hostfileVariable = "ENTRAIN_HOSTFILE"   // the path of a file with lines "host slots=n"
)

// togetherVariables returns the names of these variables.
func togetherVariables() []string {
	return []string{
		nodesVariable, nodeRankVariable, leaderVariable, slotsVariable, worldVariable, hostfileVariable,
	}
}

// ownVariables returns what is known before the hosts have met, as KEY=VALUE. A host that is not one of those
// that train together has no place among them.
func (t Together) ownVariables() []string {
	nodeRank, leader := "", "0"
	if t.IsMember() {
		nodeRank = strconv.Itoa(t.Index)
	}
	if t.Index == 0 {
		leader = "1"
	}
	return []string{
		nodesVariable + "=" + strconv.Itoa(len(t.Hosts)),
		nodeRankVariable + "=" + nodeRank,
		leaderVariable + "=" + leader,
		slotsVariable + "=" + strconv.Itoa(t.Slots),
	}
}

// addTogether adds the variables that tell of the hosts that train together. Those that need the slots of all
// hosts are left out if this host never learns them.
func (p *Plan) addTogether(job *contract.Job, snap *contract.Snapshot) {
	p.addVariables(p.Together.ownVariables())
	if !p.Together.Met && p.Rendezvous == nil {
		return
	}
	p.addWorldSize()
	if IsSet(p.Command.Env, hostfileVariable) {
		return
	}
	id := digest(append([]string{job.Root, job.Host, job.ARN, job.Name}, job.Order()...)...)
	p.Hostfile = fmt.Sprintf("/tmp/entrain-%d-%s.hostfile", snap.UID, id)
	p.addVariables([]string{hostfileVariable + "=" + p.Hostfile})
}

// addWorldSize adds the number of all ranks, if it is known.
func (p *Plan) addWorldSize() {
	if p.Together.Met {
		p.addVariables([]string{worldVariable + "=" + strconv.Itoa(p.Together.World())})
	}
}

// Later returns the names of the variables that are known only once the hosts have met.
func (p *Plan) Later() []string {
	if p.Together.Met || p.Rendezvous == nil || IsSet(p.Command.Env, worldVariable) {
		return nil
	}
	return []string{worldVariable}
}

// expandEarly expands the words of the command by env before the hosts have met. It leaves the references to
// what is known only later.
func (p *Plan) expandEarly(words, env []string) ([]string, error) {
	env = slices.Clone(env)
	for _, name := range p.Later() {
		env = append(env, name+"=${"+name+"}")
	}
	return ExpandWords(words, env)
}

// Meet returns the Plan of a host that has met the others. It is this Plan, with what only the rendezvous
// knows: the number of ranks on each host, by the host's name.
func (p *Plan) Meet(slots map[string]int) (*Plan, error) {
	if p.Together.Met || p.Rendezvous == nil {
		return p, nil
	}
	met := *p
	met.Together = p.Together.Meet(slots)
	met.Command.Env = slices.Clone(p.Command.Env)
	met.addWorldSize()
	if p.words != nil {
		argv, err := ExpandWords(p.words, met.Command.Env)
		if err != nil {
			return nil, err
		}
		met.Command.Argv = slices.Concat(argv, p.args)
	}
	return &met, nil
}

// HostfileText returns what Plan.Hostfile holds, once the hosts have met.
func (p *Plan) HostfileText() string {
	text, _ := mpi.Hostfile(mpi.OpenMPI, p.Together.Hosts) // a job's hosts have names that a hostfile can hold
	return text
}

// NeedsHostfile says whether the command itself names the hostfile, so that it cannot do without it.
func (p *Plan) NeedsHostfile() bool {
	return slices.ContainsFunc(p.Command.Argv, func(word string) bool {
		return strings.Contains(word, hostfileVariable) || p.Hostfile != "" && strings.Contains(word, p.Hostfile)
	})
}
