package hparams

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func TestPythonReadsTheSameValuesFromEachFormat(t *testing.T) {
	const python = "/usr/bin/python3" // Debian's Python: its package python3-yaml has the module yaml
	if err := exec.Command(python, "-c", "import yaml, tomllib").Run(); err != nil {
		t.Skipf("no %s with yaml and tomllib: apt-get install python3-yaml", python)
	}
	const doc = `{"lr":"1e5","b":"true","s":"it's \"x\"\t\\","é\"":"日本 🚀",` +
		`"c":"\u007f\u0085\u2028\u2029\ufeff","n":"-0.50","big":"123456789012345",` +
		`"l":"[1,[2.5,\"3\"],{\"k\":\"v\"}]","o":"{\"p\":{\"q\":[]}}","yes":"\"yes\"","none":"\"null\"",` +
		`"num":"\"1.0\"","inf":"-Infinity","e":"1E-07","d":"2020-01-01"}`
	p := params(t, doc)
	for _, format := range FileFormats() {
		t.Run(format, func(t *testing.T) {
			in := p
			if format == "json" {
				in = p.filter(func(name string) bool { return name != "inf" })
			}
			data, err := File(FileFormat(format), in)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(python, "testdata/readers.py", format)
			cmd.Stdin = bytes.NewReader(data)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s\n%s", err, out, data)
			}
			got, _, err := Parse(string(out))
			if err != nil {
				t.Fatal(err)
			}
			if want := JSON(in.Object(), DriversJSON()); JSON(got, DriversJSON()) != want {
				t.Errorf("written:\n%s\nread %s\nwant %s", data, JSON(got, DriversJSON()), want)
			}
		})
	}
}

func TestFileNamesTheHyperparameterThatAFormatCannotHold(t *testing.T) {
	for _, c := range []struct{ format, doc, want string }{
		{"json", `{"a":"NaN"}`, `hyperparameter "a": JSON cannot hold NaN`},
		{"toml", `{"a":"[1,null]"}`, `hyperparameter "a": TOML cannot hold null`},
		{
			"toml", `{"a":"99999999999999999999"}`,
			`hyperparameter "a": TOML cannot hold a whole number of more than 64 bits`,
		},
		{"yaml", `{"a":"\"\\ud800\""}`, `hyperparameter "a": YAML cannot hold half of a surrogate pair`},
		{"yaml", `{"a":{"\udc00":1}}`, `hyperparameter "a": YAML cannot hold half of a surrogate pair`},
	} {
		if _, err := File(FileFormat(c.format), params(t, c.doc)); err == nil || err.Error() != c.want {
			t.Errorf("%s %s: got %v, want %s", c.format, c.doc, err, c.want)
		}
	}
	if data, err := File(FileYAML, nil); err != nil || strings.TrimSpace(string(data)) != "{}" {
		t.Errorf("no hyperparameters: %q, %v", data, err)
	}
}
