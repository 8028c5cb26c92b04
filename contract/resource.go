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
	Hosts        []string // in the order of the file, which is often not that of the alphabet
}

// maxHostName is the length of the longest host name in DNS, in bytes.
const maxHostName = 253

func loadResource(d *document, doc hparams.Value, job *Job) {
	job.Resource = doc
	job.InstanceType, job.Interface, job.Group = "local", "eth0", "homogeneousCluster"
	hosts, haveHosts := doc.Get("hosts")
	if !haveHosts {
		d.fail(doc.Pos, hintForMissingKey(doc, "hosts", `"hosts":["algo-1"]`), "hosts is missing")
	} else if d.expectKind(hosts, hparams.List, "hosts") {
		job.Hosts = d.hostList(hosts, "hosts")
		if len(hosts.Items) == 0 {
			d.fail(hosts.Pos, "", "hosts is empty, expected at least one host")
		}
	}
	loadCurrentHost(d, doc, job)
	if v, ok := d.optionalString(doc, "current_instance_type", ""); ok {
		job.InstanceType = v.Text
	}
	if v, ok := d.optionalString(doc, "network_interface_name", ""); ok {
		job.Interface = v.Text
	}
	loadGroups(d, doc, job)
	d.warnSimilarKeys(doc, "", resourceKeys())
	d.checkVariables(doc, "current_instance_type", "network_interface_name", "current_group_name", "topology")
	if v, ok := optionalMember(doc, "topology"); ok && v.Kind != hparams.List {
		d.warn(v.Pos, "", "topology is %s, expected a list or null", describe(v))
	}
}

// checkVariables adds an error for each text that no variable can hold. The variables hold these texts as
// they are.
func (d *document) checkVariables(doc hparams.Value, keys ...string) {
	for _, key := range keys {
		v, _ := doc.Get(key)
		switch {
		case v.Kind != hparams.String:
		case strings.ContainsRune(v.Text, 0):
			d.fail(v.Pos, "", "%s %s holds a NUL character, which no variable can hold", key, hparams.Quote(v.Text))
		case hparams.HasSurrogate(v.Text):
			d.fail(v.Pos, "", "%s %s holds half of a surrogate pair, which is no text", key, hparams.Quote(v.Text))
		}
	}
}

func loadCurrentHost(d *document, doc hparams.Value, job *Job) {
	v, ok := doc.Get("current_host")
	if !ok {
		hint := hintForMissingKey(doc, "current_host", `"current_host":"algo-1"`)
		d.fail(doc.Pos, hint, "current_host is missing")
		return
	}
	if !d.expectKind(v, hparams.String, "current_host") {
		return
	}
	job.Host = v.Text
	if len(job.Hosts) > 0 && !slices.Contains(job.Hosts, job.Host) {
		d.fail(v.Pos, "", "current_host %s is not one of hosts %s", hparams.Quote(v.Text), quoteAll(job.Hosts))
	}
}

// hostList reads a list of distinct host names.
func (d *document) hostList(list hparams.Value, what string) []string {
	var hosts []string
	seen := map[string]bool{}
	for _, item := range list.Items {
		switch {
		case !d.expectKind(item, hparams.String, "a host in "+what):
		case !isHostName(item.Text):
			d.fail(item.Pos, "", "host %s in %s, expected a host name of letters, digits and inner . - _",
				hparams.Quote(item.Text), what)
		case seen[item.Text]:
			d.fail(item.Pos, "", "host %s is in %s more than once", hparams.Quote(item.Text), what)
		default:
			seen[item.Text] = true
			hosts = append(hosts, item.Text)
		}
	}
	return hosts
}

// isHostName tells whether s can be a host name. It may hold _, which platforms use although DNS forbids it.
func isHostName(s string) bool {
	return hparams.IsWord(s, "._-") && strings.IndexByte(".-", s[0]) < 0 && len(s) <= maxHostName
}

func loadGroups(d *document, doc hparams.Value, job *Job) {
	if v, ok := optionalMember(doc, "instance_groups"); ok && d.expectKind(v, hparams.List, "instance_groups") {
		groupOf := make(map[string]string, len(job.Hosts))
		for _, h := range job.Hosts {
			groupOf[h] = ""
		}
		for _, item := range v.Items {
			if d.expectKind(item, hparams.Object, "an entry of instance_groups") {
				job.Groups = append(job.Groups, loadGroup(d, item, job.Hosts, groupOf))
			}
		}
	}
	v, ok := d.optionalString(doc, "current_group_name", "")
	if !ok {
		return
	}
	job.Group = v.Text
	if len(job.Groups) > 0 && !slices.ContainsFunc(job.Groups, func(g Group) bool { return g.Name == v.Text }) {
		d.warn(v.Pos, "", "current_group_name %s is not one of instance_groups", hparams.Quote(v.Text))
	}
}

// loadGroup reads one instance group. groupOf maps every host of the job to the group that it was found in so
// far, and to the empty text before that.
func loadGroup(d *document, item hparams.Value, hosts []string, groupOf map[string]string) Group {
	var g Group
	d.warnSimilarKeys(item, "instance_groups: ", groupKeys())
	if v, ok := d.optionalString(item, "instance_group_name", "instance_groups: "); ok {
		g.Name = v.Text
	} else {
		d.fail(item.Pos, "", "an entry of instance_groups has no instance_group_name")
	}
	if v, ok := d.optionalString(item, "instance_type", "instance_groups: "); ok {
		g.InstanceType = v.Text
	}
	what := "the hosts of instance group " + hparams.Quote(g.Name)
	if g.Name == "" {
		what = "the hosts of that entry"
	}
	v, ok := optionalMember(item, "hosts")
	if !ok {
		d.fail(item.Pos, "", "%s are missing", what)
		return g
	}
	if !d.expectKind(v, hparams.List, what) {
		return g
	}
	g.Hosts = d.hostList(v, what)
	for _, member := range v.Items {
		other, known := groupOf[member.Text]
		switch {
		case member.Kind != hparams.String || len(hosts) == 0:
		case !known:
			d.fail(member.Pos, "", "host %s of instance group %s is not one of hosts %s",
				hparams.Quote(member.Text), hparams.Quote(g.Name), quoteAll(hosts))
		case other != "" && other != g.Name:
			d.warn(member.Pos, "", "host %s is in instance group %s and in %s",
				hparams.Quote(member.Text), hparams.Quote(other), hparams.Quote(g.Name))
		default:
			groupOf[member.Text] = g.Name
		}
	}
	return g
}

// InstanceType returns the instance type in a resourceconfig.json that is not checked yet. It is empty if the
// file does not say it, or is no JSON.
func InstanceType(file File) string {
	doc, _, err := hparams.Parse(string(file.Data))
	if err != nil {
		return ""
	}
	v, _ := doc.Get("current_instance_type")
	return v.Text
}

// CoresPerNeuronDevice returns how many NeuronCores a trainer sees on each device of an instance type such
// as ml.trn1.32xlarge. It is false for a type that it does not know: there only neuron-ls can tell.
// Trainium2 by default shows its eight cores as four. The toolkit agrees: it counts 64 for the 16 devices
// of trn2.48xlarge.
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
