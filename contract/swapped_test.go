package contract_test

import (
	"slices"
	"strings"
	"testing"

	"entrain/contract"
)

// A key in other words, and two files that were swapped, get a hint that names what was probably meant.
func TestMisspeltKeysAndSwappedFilesAreRecognized(t *testing.T) {
	const rc, hp, in = "resourceconfig.json", "hyperparameters.json", "inputdataconfig.json"
	const resource = `{"current_host":"a","hosts":["a"]}`
	const host, hosts = "current_host is missing", "hosts is missing"
	const holds = "holds what belongs in "
	unread := func(key string) string { return `key "` + key + `" is not read` }
	meant := func(key string) string { return `did you mean "` + key + `"` }
	with := func(member string) string { return `{"current_host":"a","hosts":["a"],` + member + `}` }
	for _, c := range []struct{ file, text, want, hint string }{
		{rc, `{"currentHost":"a","hosts":["a"]}`, host, meant("current_host") + ` by "currentHost"?`},
		{rc, `{"CurrentHost":"a","hosts":["a"]}`, host, meant("current_host") + ` by "CurrentHost"?`},
		{rc, `{"current-host":"a","Hosts":["a"]}`, hosts, meant("hosts") + ` by "Hosts"?`},
		{rc, `{"current_host":"a","host":["a"]}`, hosts, meant("hosts") + ` by "host"?`},
		{rc, with(`"networkInterfaceName":"e"`), unread("networkInterfaceName"), meant("network_interface_name")},
		{rc, with(`"InstanceGroups":[]`), unread("InstanceGroups"), meant("instance_groups")},
		{
			rc, with(`"instance_groups":[{"instance_group_name":"g","hosts":["a"],"instanceType":"t"}]`),
			"instance_groups: " + unread("instanceType"), meant("instance_type"),
		},
		{
			in, `{"train":{"trainingInputMode":"Pipe"}}`,
			`channel "train": ` + unread("trainingInputMode"), meant("TrainingInputMode"),
		},
		{
			in, `{"train":{"training_input_mode":"Pipe"}}`,
			unread("training_input_mode"), meant("TrainingInputMode"),
		},
		{
			in, `{"train":{"S3DataDistributionType":"FullyReplicated"}}`,
			unread("S3DataDistributionType"), meant("S3DistributionType"),
		},
		{in, resource, holds + rc, "did you mean " + rc + "?"},
		{in, `{"lr":"0.1","epochs":"3"}`, holds + hp, "did you mean " + hp + "?"},
		{hp, resource, holds + rc, "did you mean " + rc + "?"},
		{hp, `{"train":{"TrainingInputMode":"File"}}`, holds + in, "did you mean " + in + "?"},
		{rc, `{"train":{"ContentType":"x"},"test":{"RecordWrapperType":"None"}}`, holds + in, in + "?"},
		{rc, `{"lr":"0.1"}`, holds + hp, "did you mean " + hp + "?"},
	} {
		files := minimal()
		files[c.file] = c.text
		_, problems := contract.Load(snapshot(files))
		isWanted := func(p contract.Problem) bool {
			return p.File == c.file && p.Line == 1 &&
				strings.Contains(p.Message, c.want) && strings.Contains(p.Hint, c.hint)
		}
		if !slices.ContainsFunc(problems, isWanted) {
			t.Errorf("%s %s: %v, want %q with the hint %q", c.file, c.text, problems, c.want, c.hint)
		}
	}
}

// What the platform or a user may well write is no mistake.
func TestOtherKeysAreNoMistake(t *testing.T) {
	for file, text := range map[string]string{
		"resourceconfig.json": `{"current_host":"a","hosts":["a"],"current_instance_group":"g","x":1,` +
			`"topology":null,"cluster_size":3,"Hosts":["b"]}`,
		"inputdataconfig.json": `{"hosts":{"TrainingInputMode":"File"},"current_host":{},` +
			`"x":{"CompressionType":"None","S3DataType":"S3Prefix","ShuffleConfig":{}}}`,
		"hyperparameters.json": `{"current_host":"a","hosts":"[\"a\"]","TrainingInputMode":"File"}`,
	} {
		if _, problems := contract.Load(snapshot(with(file, text))); len(problems) > 0 {
			t.Errorf("%s: %v", file, problems)
		}
	}
}
