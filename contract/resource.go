package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// Group is one entry of instance_groups.
type Group struct {
	Name         string
	InstanceType string
	Hosts        []string // in the order of the file, which is often not sorted
}

// maxHostName is the longest host name that DNS has, in bytes.
const maxHostName = 253

func loadResource(d *document, doc hparams.Value, job *Job) {
	job.Resource = doc
	job.InstanceType, job.Interface, job.Group = "local", "eth0", "homogeneousCluster"
	hosts, haveHosts := doc.Get("hosts")
	if !haveHosts {
		d.fail(doc.Pos, `every job has it, e.g. "hosts":["algo-1"]`, "hosts is missing")
	} else if d.kind(hosts, hparams.List, "hosts") {
		job.Hosts = d.hostList(hosts, "hosts")
		if len(hosts.Items) == 0 {
			d.fail(hosts.Pos, "", "hosts is empty, expected at least one host")
		}
	}
	loadCurrentHost(d, doc, job)
	if v, ok := d.str(doc, "current_instance_type", ""); ok {
		job.InstanceType = v.Text
	}
	if v, ok := d.str(doc, "network_interface_name", ""); ok {
		job.Interface = v.Text
	}
	loadGroups(d, doc, job)
	if v, ok := optional(doc, "topology"); ok {
		if v.Kind != hparams.List {
			d.warn(v.Pos, "", "topology is %s, expected a list or null", describe(v))
		}
		job.Topology = v
	}
}

func loadCurrentHost(d *document, doc hparams.Value, job *Job) {
	v, ok := doc.Get("current_host")
	if !ok {
		d.fail(doc.Pos, `every job has it, e.g. "current_host":"algo-1"`, "current_host is missing")
		return
	}
	if !d.kind(v, hparams.String, "current_host") {
		return
	}
	job.Host = v.Text
	if len(job.Hosts) > 0 && !slices.Contains(job.Hosts, job.Host) {
		d.fail(v.Pos, "", "current_host %s is not one of hosts %s", hparams.Quote(v.Text), quoteAll(job.Hosts))
	}
}

// hostList reads a list of distinct host names.
func (d *document) hostList(list hparams.Value, path string) []string {
	var hosts []string
	seen := map[string]bool{}
	for _, item := range list.Items {
		switch {
		case !d.kind(item, hparams.String, "a host in "+path):
		case !isName(item.Text, "._-") || strings.IndexByte(".-", item.Text[0]) >= 0 || len(item.Text) > maxHostName:
			d.fail(item.Pos, "", "host %s in %s, expected a host name of letters, digits and inner . - _", hparams.Quote(item.Text), path)
		case seen[item.Text]:
			d.fail(item.Pos, "", "host %s is in %s more than once", hparams.Quote(item.Text), path)
		default:
			seen[item.Text] = true
			hosts = append(hosts, item.Text)
		}
	}
	return hosts
}

func loadGroups(d *document, doc hparams.Value, job *Job) {
	if v, ok := optional(doc, "instance_groups"); ok && d.kind(v, hparams.List, "instance_groups") {
		groupOf := make(map[string]string, len(job.Hosts))
		for _, h := range job.Hosts {
			groupOf[h] = ""
		}
		for _, item := range v.Items {
			if d.kind(item, hparams.Object, "an entry of instance_groups") {
				job.Groups = append(job.Groups, loadGroup(d, item, job.Hosts, groupOf))
			}
		}
	}
	v, ok := d.str(doc, "current_group_name", "")
	if !ok {
		return
	}
	job.Group = v.Text
	if len(job.Groups) > 0 && !slices.ContainsFunc(job.Groups, func(g Group) bool { return g.Name == v.Text }) {
		d.warn(v.Pos, "", "current_group_name %s is not one of instance_groups", hparams.Quote(v.Text))
	}
}

// loadGroup reads one group; groupOf has every host, and the group that it was in so far.
func loadGroup(d *document, item hparams.Value, hosts []string, groupOf map[string]string) Group {
	var g Group
	if v, ok := d.str(item, "instance_group_name", "instance_groups: "); ok {
		g.Name = v.Text
	} else {
		d.fail(item.Pos, "", "an entry of instance_groups has no instance_group_name")
	}
	if v, ok := d.str(item, "instance_type", "instance_groups: "); ok {
		g.InstanceType = v.Text
	}
	path := "the hosts of instance group " + hparams.Quote(g.Name)
	v, ok := optional(item, "hosts")
	if !ok {
		d.fail(item.Pos, "", "%s are missing", path)
		return g
	}
	if !d.kind(v, hparams.List, path) {
		return g
	}
	g.Hosts = d.hostList(v, path)
	for _, member := range v.Items {
		other, known := groupOf[member.Text]
		switch {
		case member.Kind != hparams.String || len(hosts) == 0:
		case !known:
			d.fail(member.Pos, "", "host %s of instance group %s is not one of hosts %s",
				hparams.Quote(member.Text), hparams.Quote(g.Name), quoteAll(hosts))
		case other != "" && other != g.Name:
			d.warn(member.Pos, "", "host %s is in instance group %s and in %s", hparams.Quote(member.Text), hparams.Quote(other), hparams.Quote(g.Name))
		default:
			groupOf[member.Text] = g.Name
		}
	}
	return g
}

// InstanceType peeks at resourceconfig.json before it is checked; empty where it does not say.
func InstanceType(file File) string {
	doc, _, err := hparams.Parse(string(file.Data))
	if err != nil {
		return ""
	}
	v, _ := doc.Get("current_instance_type")
	return v.Text
}

// CoresPerNeuronDevice is how many NeuronCores a trainer sees on each device of an instance type such as
// ml.trn1.32xlarge; false where only neuron-ls can tell. Trainium2 shows its eight cores as four by default, as
// the toolkit's 64 for the 16 devices of trn2.48xlarge says too.
func CoresPerNeuronDevice(instanceType string) (int, bool) {
	family, _, _ := strings.Cut(strings.TrimPrefix(instanceType, "ml."), ".")
	switch family {
	case "inf1", "trn2":
		return 4, true
	case "inf2", "trn1", "trn1n":
		return 2, true
	}
	return 0, false
}
