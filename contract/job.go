package contract

import (
	"path"
	"slices"
	"strings"

	"entrain/hparams"
)

// Job is what the platform asked for: valid, and never changed after Load.
type Job struct {
	Root string // the contract's directory
	Name string // TRAINING_JOB_NAME; empty where unset
	ARN  string // TRAINING_JOB_ARN; empty where unset

	Host         string   // who this container is: one of Hosts
	Hosts        []string // all containers, in the order of the file
	Groups       []Group  // instance groups in the order of the file; none in old jobs and in local mode
	Group        string   // this host's group; homogeneousCluster where the file does not say
	InstanceType string   // this host's; local where the file does not say
	Interface    string   // the network interface that peers are reached by; eth0 where the file does not say
	Topology     hparams.Value

	Channels []Channel // in the order of the file
	Params   hparams.Params
	Machine  Machine

	Resource  hparams.Value // resourceconfig.json as it is, for the variables that carry it whole
	InputData hparams.Value // inputdataconfig.json, likewise

	// DistributionGroups are the instance groups that train together, DistributionHosts their hosts in the
	// order of the groups; both as the toolkit's environment.py has them.
	DistributionGroups hparams.Value
	DistributionHosts  []string

	named bool // TRAINING_JOB_NAME is set
}

// Named says whether the platform started this container: it sets TRAINING_JOB_NAME, and so does local mode.
func (j *Job) Named() bool { return j.named }

// decideDistribution: the groups are those of sagemaker_distribution_instance_groups; else the own one where
// any distribution is enabled; else none. Their hosts are taken in the order of the file; a job without
// instance_groups has all hosts in one.
func (j *Job) decideDistribution() {
	j.DistributionGroups = hparams.Value{Kind: hparams.List}
	if v, ok := j.Params.Get("sagemaker_distribution_instance_groups"); ok {
		j.DistributionGroups = v
	} else if j.distributed() {
		j.DistributionGroups = hparams.Strs([]string{j.Group})
	}
	if len(j.Groups) == 0 {
		j.DistributionHosts = j.Hosts
		return
	}
	for _, g := range j.Groups {
		if isMember(j.DistributionGroups, g.Name) {
			j.DistributionHosts = append(j.DistributionHosts, g.Hosts...)
		}
	}
}

// isMember is Python's `name in groups`, which for a string asks for a part of it, and for a dict for a key.
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

// Order is all hosts in the order of their ranks: those that train together first, in the order of their
// groups; then the others as listed. List order counts, never the alphabet: algo-10 may come before algo-2.
func (j *Job) Order() []string { return distinct(slices.Concat(j.DistributionHosts, j.Hosts)) }

// Together is the hosts that train together, in the order of their ranks: all where the job does not say.
func (j *Job) Together() []string {
	if len(j.DistributionHosts) == 0 {
		return j.Order()
	}
	return distinct(j.DistributionHosts)
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

// Leader is the host that starts the others' work: the first in Order.
func (j *Job) Leader() string { return j.Order()[0] }

// Rank is the place of a host in Order, from 0.
func (j *Job) Rank(host string) int { return slices.Index(j.Order(), host) }

// Dir is a path under the contract's directory.
func (j *Job) Dir(elem ...string) string { return path.Join(append([]string{j.Root}, elem...)...) }

// Program is the file that the SDK asks to be run, relative to CodeDir; empty where it asks for none. The
// variable SAGEMAKER_PROGRAM beats the hyperparameter.
func (j *Job) Program(s *Snapshot) string {
	if v, _ := s.Getenv("SAGEMAKER_PROGRAM"); v != "" {
		return v
	}
	v, _ := j.Params.Get("sagemaker_program")
	return hparams.ToolkitText(v)
}

// CodeDir is where Program is: ROOT/code, or the local directory that sagemaker_submit_directory names.
func (j *Job) CodeDir() string {
	if v, ok := j.Params.Get("sagemaker_submit_directory"); ok && path.IsAbs(v.Text) {
		return v.Text
	}
	return j.Dir("code")
}
