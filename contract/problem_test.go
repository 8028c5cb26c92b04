package contract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
)

// printed returns the text of each problem without its hint.
func printed(problems []contract.Problem) []string {
	out := []string{}
	for _, p := range problems {
		text, _, _ := strings.Cut(p.String(), "\nhint: ")
		if p.Warning {
			text = "warning: " + text
		}
		out = append(out, text)
	}
	return out
}

func TestEachMistakeHasItsOwnMessageWithItsPlace(t *testing.T) {
	const rc, hp, in = "resourceconfig.json", "hyperparameters.json", "inputdataconfig.json"
	many := func(n int, item func(int) string) string {
		var items []string
		for i := range n {
			items = append(items, item(i))
		}
		return "{" + strings.Join(items, ",") + "}"
	}
	name := func(i int) string { return "x" + strings.Repeat("y", i) }
	for _, c := range []struct {
		what, file, text string
		want             []string
	}{
		{
			"host not in hosts", rc,
			`{"current_host": "algo-9","hosts":["algo-1","algo-2"]}`,
			[]string{`resourceconfig.json:1:18: current_host "algo-9" is not one of hosts ["algo-1","algo-2"]`},
		},
		{
			"second line", rc,
			"{\"é\":1,\n  \"current_host\":\"b\",\n\"hosts\":[\"a\"]}",
			[]string{`resourceconfig.json:2:18: current_host "b" is not one of hosts ["a"]`},
		},
		{
			"nothing there", rc, `{}`,
			[]string{
				"resourceconfig.json:1:1: hosts is missing",
				"resourceconfig.json:1:1: current_host is missing",
			},
		},
		{
			"nulls for what is required", rc,
			`{"current_host":null,"hosts":null}`,
			[]string{
				"resourceconfig.json:1:17: current_host is null, expected a string",
				"resourceconfig.json:1:30: hosts is null, expected a list",
			},
		},
		{
			"no hosts", rc, `{"current_host":"a","hosts":[]}`,
			[]string{"resourceconfig.json:1:29: hosts is empty, expected at least one host"},
		},
		{
			"duplicate host", rc,
			`{"current_host":"a","hosts":["a","b","a"]}`,
			[]string{`resourceconfig.json:1:38: host "a" is in hosts more than once`},
		},
		{"odd host names", rc, `{"current_host":"a","hosts":["a","b c","","::1",7]}`, []string{
			`resourceconfig.json:1:34: host "b c" in hosts, expected a host name of letters, digits and inner . - _`,
			`resourceconfig.json:1:40: host "" in hosts, expected a host name of letters, digits and inner . - _`,
			`resourceconfig.json:1:43: host "::1" in hosts, expected a host name of letters, digits and inner . - _`,
			`resourceconfig.json:1:49: a host in hosts is 7, expected a string`,
		}},
		{"wrong types", rc, `{"current_host":1,"hosts":"a","network_interface_name":2,` +
			`"current_instance_type":[],"current_group_name":{},"instance_groups":5,"topology":true}`, []string{
			`resourceconfig.json:1:17: current_host is 1, expected a string`,
			`resourceconfig.json:1:27: hosts is "a", expected a list`,
			`resourceconfig.json:1:56: network_interface_name is 2, expected a string`,
			`resourceconfig.json:1:82: current_instance_type is a list, expected a string`,
			`resourceconfig.json:1:106: current_group_name is an object, expected a string`,
			`resourceconfig.json:1:127: instance_groups is 5, expected a list`,
			`warning: resourceconfig.json:1:140: topology is true, expected a list or null`,
		}},
		{"groups", rc, `{"current_host":"a","hosts":["a"],"current_group_name":"h",` +
			`"instance_groups":[{"instance_group_name":"g","hosts":["b"]},{"hosts":["a"]},3]}`, []string{
			`warning: resourceconfig.json:1:56: current_group_name "h" is not one of instance_groups`,
			`resourceconfig.json:1:115: host "b" of instance group "g" is not one of hosts ["a"]`,
			`resourceconfig.json:1:121: an entry of instance_groups has no instance_group_name`,
			`resourceconfig.json:1:137: an entry of instance_groups is 3, expected an object`,
		}},
		{"duplicate identity", rc, `{"current_host":"a","hosts":["a"],"current_host":"b"}`, []string{
			`resourceconfig.json:1:35: duplicate key "current_host"`,
			`resourceconfig.json:1:50: current_host "b" is not one of hosts ["a"]`,
		}},
		{
			"duplicate key", hp, `{"lr":"1","lr":"2"}`,
			[]string{`warning: hyperparameters.json:1:11: duplicate key "lr", the last one counts`},
		},
		{
			"trailing garbage", hp, `{} x`,
			[]string{`hyperparameters.json:1:4: found 'x' after the end of the JSON document`},
		},
		{"empty file", hp, " \n", []string{"hyperparameters.json: is empty, expected a JSON object"}},
		{
			"not an object", hp, `["lr"]`,
			[]string{"hyperparameters.json:1:1: the document is a list, expected an object"},
		},
		{
			"invalid UTF-8", hp, "{\"lr\":\"\xff\"}",
			[]string{"hyperparameters.json:1:8: byte 0xff is not valid UTF-8"},
		},
		{
			"not a string", hp, `{"lr":0.1}`,
			[]string{`warning: hyperparameters.json:1:7: hyperparameter "lr" is a number, expected a string`},
		},
		{
			"long value", hp,
			`{"v":"` + strings.Repeat("é", 2501) + `"}`,
			[]string{
				`warning: hyperparameters.json:1:6: ` +
					`hyperparameter "v" has a value of 2501 characters, the platform takes at most 2500`,
			},
		},
		{
			"too many", hp,
			many(101, func(i int) string { return `"` + name(i) + `":"1"` }),
			[]string{`warning: hyperparameters.json:1:5752: 101 hyperparameters, the platform takes at most 100`},
		},
		{"as large as may be", hp, `{}` + strings.Repeat(" ", 8<<20-2), []string{}},
		{
			"too large", hp,
			`{"a":"` + strings.Repeat("x", 8<<20) + `"}`,
			[]string{"hyperparameters.json: is larger than 8388608 bytes"},
		},
		{"null document", in, `null`, []string{}},
		{"null channel", in, `{"train":null}`, []string{}},
		{
			"mode", in,
			`{"train":{"TrainingInputMode":"Stream"}}`,
			[]string{
				`inputdataconfig.json:1:31: channel "train": ` +
					`TrainingInputMode is "Stream", expected File, FastFile, Pipe`,
			},
		},
		{
			"mode's spelling", in,
			`{"train":{"TrainingInputMode":"file"}}`,
			[]string{
				`warning: inputdataconfig.json:1:31: channel "train": ` +
					`TrainingInputMode is "file", expected it spelled "File"`,
			},
		},
		{"channel names", in, `{"a/b":{},"..":{},"` + name(64) + `":{},"":{},"ok-1.x_2":{}}`, []string{
			`inputdataconfig.json:1:2: channel name "a/b", expected 1 to 64 of letters, digits and . - _`,
			`inputdataconfig.json:1:11: channel name "..", expected 1 to 64 of letters, digits and . - _`,
			`inputdataconfig.json:1:19: channel name "` + name(64)[:60] +
				`"…, expected 1 to 64 of letters, digits and . - _`,
			`inputdataconfig.json:1:90: channel name "", expected 1 to 64 of letters, digits and . - _`,
		}},
		{
			"too many channels", in,
			many(21, func(i int) string { return `"` + name(i) + `":{}` }),
			[]string{"warning: inputdataconfig.json:1:332: 21 channels, the platform takes at most 20"},
		},
		{"other words", in, `{"t":{"S3DistributionType":"Half","RecordWrapperType":"recordio",` +
			`"ContentType":3}}`, []string{
			`warning: inputdataconfig.json:1:28: channel "t": ` +
				`S3DistributionType is "Half", expected FullyReplicated, ShardedByS3Key`,
			`warning: inputdataconfig.json:1:55: channel "t": ` +
				`RecordWrapperType is "recordio", expected it spelled "RecordIO"`,
			`inputdataconfig.json:1:80: channel "t": ContentType is 3, expected a string`,
		}},
		{
			"NUL and half a surrogate pair", rc, `{"current_host":"a","hosts":["a"],` +
				`"network_interface_name":"e\u0000h","current_instance_type":"\ud800",` +
				`"current_group_name":"\u0000","topology":"\udfff"}`, []string{
				`resourceconfig.json:1:60: network_interface_name "e\u0000h" holds a NUL character, ` +
					`which no variable can hold`,
				`resourceconfig.json:1:95: current_instance_type "\ud800" holds half of a surrogate pair, ` +
					`which is no text`,
				`resourceconfig.json:1:125: current_group_name "\u0000" holds a NUL character, ` +
					`which no variable can hold`,
				`resourceconfig.json:1:145: topology "\udfff" holds half of a surrogate pair, which is no text`,
				`warning: resourceconfig.json:1:145: topology is "\udfff", expected a list or null`,
			},
		},
		{
			"UTF-8 with a byte order mark", hp, "\ufeff{}",
			[]string{"hyperparameters.json:1:1: the text begins with a byte order mark (BOM), expected '{'"},
		},
		{"UTF-16 of Windows", rc, "\xff\xfe{\x00}\x00", []string{
			"resourceconfig.json:1:1: the text is UTF-16, expected UTF-8",
		}},
		{"UTF-16, high bytes first", rc, "\xfe\xff\x00{\x00}", []string{
			"resourceconfig.json:1:1: the text is UTF-16, expected UTF-8",
		}},
		{"UTF-16 without a mark", in, "{\x00}\x00", []string{
			"inputdataconfig.json:1:1: the text is UTF-16, expected UTF-8",
		}},
		{"UTF-16 without a mark, high bytes first", in, "\x00{\x00}", []string{
			"inputdataconfig.json:1:1: the text is UTF-16, expected UTF-8",
		}},
		{"UTF-32", hp, "\xff\xfe\x00\x00{\x00\x00\x00}\x00\x00\x00", []string{
			"hyperparameters.json:1:1: the text is UTF-32, expected UTF-8",
		}},
		{"UTF-32 without a mark", hp, "{\x00\x00\x00}\x00\x00\x00", []string{
			"hyperparameters.json:1:1: the text is UTF-32, expected UTF-8",
		}},
		{"UTF-32, high bytes first", hp, "\x00\x00\x00{\x00\x00\x00}", []string{
			"hyperparameters.json:1:1: the text is UTF-32, expected UTF-8",
		}},
		{
			"a number that Python does not read", rc,
			"{\"current_host\":\"a\",\n \"n\": -" + strings.Repeat("9", 4301) + `,"hosts":["a"]}`,
			[]string{"resourceconfig.json:2:7: a whole number of 4301 digits, expected at most 4300"},
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			job, problems := contract.Load(snapshot(with(c.file, c.text)))
			got := printed(problems)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if invalid := len(contract.Errors(problems)) > 0; invalid == (job != nil) {
				t.Errorf("invalid %v, job %v", invalid, job != nil)
			}
		})
	}
}

func TestOneBrokenFileDoesNotHideAnother(t *testing.T) {
	snap := snapshot(map[string]string{"hyperparameters.json": `{`, "resourceconfig.json": `{"hosts":[]}`})
	snap.Files["inputdataconfig.json"] = contract.File{Problem: "is a directory"}
	snap.Env = []string{"TRAINING_JOB_NAME=-x"}
	_, problems := contract.Load(snap)
	want := []string{
		"hyperparameters.json:1:2: found the end of the file where a key in double quotes should be",
		"inputdataconfig.json: is a directory, expected a readable file in /opt/ml/input/config",
		"resourceconfig.json:1:1: current_host is missing",
		"resourceconfig.json:1:10: hosts is empty, expected at least one host",
		`warning: TRAINING_JOB_NAME: "-x" is no training job's name, expected 1 to 63 letters, ` +
			`digits and inner hyphens`,
	}
	if diff := cmp.Diff(want, printed(problems)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestManyProblemsEndWithACount(t *testing.T) {
	some := func(errors, warnings int) []contract.Problem {
		list := make([]contract.Problem, 0, errors+warnings)
		for i := range errors + warnings {
			list = append(list, contract.Problem{Message: "m", Warning: i < warnings})
		}
		return list
	}
	for _, c := range []struct {
		errors, warnings, keptErrors, kept int
		last                               string
	}{
		{100, 0, 100, 100, "m"},
		{1, 99, 1, 100, "m"},
		{101, 0, 101, 101, "and 1 more problems: 1 errors, 0 warnings"},
		{30000, 5, 101, 101, "and 29905 more problems: 29900 errors, 5 warnings"},
		{3, 30000, 3, 101, "and 29903 more problems: 0 errors, 29903 warnings"},
	} {
		got := contract.Limit(some(c.errors, c.warnings))
		if len(got) != c.kept || len(contract.Errors(got)) != c.keptErrors || got[len(got)-1].Message != c.last {
			t.Errorf("%d errors, %d warnings: %d problems, %d errors, the last is %q",
				c.errors, c.warnings, len(got), len(contract.Errors(got)), got[len(got)-1].Message)
		}
	}
}
