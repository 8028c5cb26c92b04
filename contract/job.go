package contract

import (
	"path"
	"slices"
	"strings"

	"entrain/hparams"
)

// Job says what the platform asks of this container. It is valid, and nothing changes it after Load.
type Job struct {
	Root string // the contract's directory
	Name string // TRAINING_JOB_NAME; empty if unset
	ARN  string // TRAINING_JOB_ARN; empty if unset

	Host         string   // the name of this container: one of Hosts
	Hosts        []string // the names of all containers, in the order of the file
	Groups       []Group  // the instance groups in the order of the file; old jobs and local mode have none
	Group        string   // the group of this host; homogeneousCluster by default
	InstanceType string   // the instance type of this host; local by default
	Interface    string   // the network interface that leads to the other hosts; eth0 by default

	Channels []Channel // in the order of the file
	Params   hparams.Params
	Machine  Machine

	Resource  hparams.Value // resourceconfig.json, unchanged, for the variables that hold the whole file
	InputData hparams.Value // inputdataconfig.json, likewise

	// DistributionGroups names the instance groups that train together. DistributionHosts lists their hosts in
	// the order of the groups. Both follow the toolkit's environment.py, and may differ from host to host:
	// Together and Leader do not.
	DistributionGroups hparams.Value
	DistributionHosts  []string

	together []string // the hosts that train together, to every host the same; none if the job names none
	// places holds the index of each channel by its name.
	places map[string]int
	named  bool // TRAINING_JOB_NAME is set
}

// Named tells whether the platform or the SDK's local mode started this container: both set
// TRAINING_JOB_NAME.
func (j *Job) Named() bool { return j.named }

// groupsParam names the instance groups that train together.
const groupsParam = "sagemaker_distribution_instance_groups"

// decideDistribution sets DistributionGroups, DistributionHosts and together. The groups are those of the
// hyperparameter sagemaker_distribution_instance_groups. Without it, a job with a distribution has this
// host's own group, and any other job has no group. A job without instance_groups has all its hosts in one
// group.
func (j *Job) decideDistribution() {
	j.DistributionGroups = hparams.Value{Kind: hparams.List}
	if v, ok := j.Params.Get(groupsParam); ok {
		j.DistributionGroups = v
	} else if j.isDistributed() {
		j.DistributionGroups = hparams.Strs([]string{j.Group})
	}
	j.DistributionHosts = j.hostsOf(func(g Group) bool { return isMember(j.DistributionGroups, g.Name) })
	j.together = j.DistributionHosts
	if j.groupsAreOpen() {
		j.together = j.hostsOf(func(Group) bool { return true })
	}
}

// hostsOf returns the hosts of the groups that count, in the order of the groups. A job without groups has
// all its hosts.
func (j *Job) hostsOf(counts func(Group) bool) []string {
	if len(j.Groups) == 0 {
		return j.Hosts
	}
	var hosts []string
	for _, g := range j.Groups {
		if counts(g) {
			hosts = append(hosts, g.Hosts...)
		}
	}
	return hosts
}

// groupsAreOpen tells whether a job with a distribution does not say which groups train together, or names
// none of its groups. To the toolkit each host's own group does, so the hosts of two groups would have two
// leaders. Here all groups do, so that every host comes to the same hosts and the same leader.
func (j *Job) groupsAreOpen() bool {
	_, said := j.Params.Get(groupsParam)
	return j.isDistributed() && (!said || len(j.DistributionHosts) == 0)
}

// isMember returns Python's `name in groups`: true for an item of a list, a key of a dict, and a part of a
// string.
func isMember(groups hparams.Value, name string) bool {
	if groups.Kind == hparams.String {
		return strings.Contains(groups.Text, name)
	}
	if _, isKey := groups.Get(name); isKey {
		return true
	}
	return slices.ContainsFunc(groups.Items, func(v hparams.Value) bool {
		return v.Kind == hparams.String && v.Text == name
	})
}

// Order returns all hosts in the order of their ranks. The hosts that train together come first, in the
// order of their groups, then the others in the order of the file. It never sorts: algo-10 may come before
// algo-2.
func (j *Job) Order() []string { return distinct(slices.Concat(j.together, j.Hosts)) }

// Together returns the hosts that train together, in the order of their ranks. If the job does not name them,
// these are all hosts.
func (j *Job) Together() []string {
	if len(j.together) == 0 {
		return j.Order()
	}
	return distinct(j.together)
}

// distinct keeps the first of equal items.
func distinct(items []string) []string {
	seen := make(map[string]bool, len(items))
	var kept []string
	for _, item := range items {
		if !seen[item] {
			seen[item] = true
			kept = append(kept, item)
		}
	}
	return kept
}

// Leader returns the host that starts the work of the others: the first in Order.
func (j *Job) Leader() string { return j.Order()[0] }

// Rank returns the place of a host in Order, from 0, and -1 for a host that is not in the job.
func (j *Job) Rank(host string) int { return slices.Index(j.Order(), host) }

// Dir returns a path in the contract's directory.
func (j *Job) Dir(elem ...string) string { return path.Join(append([]string{j.Root}, elem...)...) }

// Program returns the file that the job asks to run, relative to CodeDir, and the empty text if it names
// none. The variable SAGEMAKER_PROGRAM counts more than the hyperparameter sagemaker_program.
func (j *Job) Program(s *Snapshot) string {
	if v, _ := s.Getenv(programVar); v != "" {
		return v
	}
	v, _ := j.Params.Get(programParam)
	return hparams.ToolkitText(v)
}
