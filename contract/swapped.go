package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// failSwapped reports a file that holds what belongs into another one, and tells whether it does.
func (d *document) failSwapped(doc hparams.Value) bool {
	other := fileOf(doc)
	// Only a hyperparameter may have any name and any text. So the file of the hosts is one that lacks them.
	isHosts := d.file == ResourceFile && hasHosts(doc)
	if other == "" || other == d.file || other == HyperparametersFile && isHosts {
		return false
	}
	d.fail(doc.Pos, "did you mean "+other+"? the two files may be swapped",
		"holds what belongs in %s", other)
	return true
}

// fileOf returns the name of the configuration file that a document probably is: the one with the hosts, the
// one with an object for each channel, or the one with a string for each name. It is empty if that is not
// clear, and for a document without members.
func fileOf(doc hparams.Value) string {
	isString := func(f hparams.Field) bool { return f.Value.Kind == hparams.String }
	isChannelKey := func(f hparams.Field) bool { return slices.Contains(channelKeys(), f.Key) }
	isChannel := func(f hparams.Field) bool { return slices.ContainsFunc(f.Value.Fields, isChannelKey) }
	hosts, _ := doc.Get("hosts")
	_, isNamed := doc.Get("current_host")
	switch {
	case len(doc.Fields) == 0:
		return ""
	case isNamed && hosts.Kind == hparams.List:
		return ResourceFile
	case !slices.ContainsFunc(doc.Fields, func(f hparams.Field) bool { return !isChannel(f) }):
		return InputDataFile
	case !slices.ContainsFunc(doc.Fields, func(f hparams.Field) bool { return !isString(f) }):
		return HyperparametersFile
	}
	return ""
}

// hasHosts tells whether a document has a member that only resourceconfig.json has.
func hasHosts(doc hparams.Value) bool {
	return slices.ContainsFunc(doc.Fields, func(f hparams.Field) bool {
		return f.Key == "current_host" || f.Key == "hosts"
	})
}

// channelKeys lists the keys of a channel in inputdataconfig.json.
func channelKeys() []string {
	return []string{"TrainingInputMode", "S3DistributionType", "RecordWrapperType", "ContentType"}
}

// resourceKeys lists the keys of resourceconfig.json, and one that the toolkit's own file has.
func resourceKeys() []string {
	return []string{
		"current_host", "hosts", "current_instance_type", "current_group_name", "instance_groups",
		"network_interface_name", "topology", "current_instance_group",
	}
}

// groupKeys lists the keys of an entry of instance_groups.
func groupKeys() []string { return []string{"instance_group_name", "instance_type", "hosts"} }

// warnSimilarKeys warns of each key that looks like one of the file's keys, such as currentHost, unless the
// file has that one too. The platform may add keys, so any other key is no mistake.
func (d *document) warnSimilarKeys(v hparams.Value, prefix string, keys []string) {
	has := map[string]bool{}
	for _, f := range v.Fields {
		has[f.Key] = true
	}
	for _, f := range v.Fields {
		if near := similarKey(f.Key, keys); near != "" && !has[near] {
			hint := "did you mean " + hparams.Quote(near) + "?"
			d.warn(f.Pos, hint, "%skey %s is not read", prefix, hparams.Quote(f.Key))
		}
	}
}

// hintForMissingKey returns the hint for a key that every job has: the key that looks like it, else an
// example.
func hintForMissingKey(doc hparams.Value, key, example string) string {
	for _, f := range doc.Fields {
		if similarKey(f.Key, resourceKeys()) == key {
			return "did you mean " + hparams.Quote(key) + " by " + hparams.Quote(f.Key) + "? rename it"
		}
	}
	return "every job has it, e.g. " + example
}

// similarKey returns the key that a misspelt one probably should be. It is empty for one of the keys
// themselves, and if none is similar.
func similarKey(key string, keys []string) string {
	noHyphen := func(r rune) rune {
		if r == '_' || r == '-' {
			return -1
		}
		return r
	}
	plain := func(s string) string { return strings.ToLower(strings.Map(noHyphen, s)) }
	if slices.Contains(keys, key) {
		return ""
	}
	if i := slices.IndexFunc(keys, func(k string) bool { return plain(k) == plain(key) }); i >= 0 {
		return keys[i]
	}
	// The names of CreateTrainingJob, where the file has others.
	ofAPI := map[string]string{"inputmode": "TrainingInputMode", "s3datadistributiontype": "S3DistributionType"}
	if other := ofAPI[plain(key)]; slices.Contains(keys, other) {
		return other
	}
	return NearestName(key, keys)
}
