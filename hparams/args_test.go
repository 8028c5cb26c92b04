package hparams

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// params decodes the text of a hyperparameters.json.
func params(t *testing.T, doc string) Params {
	t.Helper()
	v, _, err := Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	return FromObject(v)
}

func argWords(t *testing.T, style Style, doc string, negate bool) []string {
	t.Helper()
	args, err := Args(style, params(t, doc), negate)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{}
	for _, a := range args {
		words = append(words, a.Words...)
	}
	return words
}

func TestEachStyleWritesItsWords(t *testing.T) {
	const mixed = `{"lr":"1.10","b":"true","off":"false","none":"null","l":"[1,2.50,\"x y\",[3]]",` +
		`"o":"{\"p\":1e5,\"q\":{\"r\":\"s\"}}","s":"\"it's\"",` +
		`"sagemaker_program":"t.py","batch-size":"1E-05","e":"[]"}`
	for _, c := range []struct {
		name   string
		style  Style
		negate bool
		doc    string
		want   []string
	}{
		// These cases come from the toolkit's own test, test_mapping.py::test_to_cmd_args.
		{
			"toolkit sorts by code point", StyleToolkit, false,
			`{"da-sh":"1","un_der":"2","un-sh":"3","da_der":"2"}`,
			[]string{"--da-sh", "1", "--da_der", "2", "--un-sh", "3", "--un_der", "2"},
		},
		{"toolkit without hyperparameters", StyleToolkit, false, `{}`, []string{}},
		{"toolkit with an empty name", StyleToolkit, false, `{"":""}`, []string{"", ""}},
		{
			"toolkit writes names of one letter with one hyphen", StyleToolkit, false,
			`{"U":"1","b":"2","T":"","":"42"}`,
			[]string{"", "42", "-T", "", "-U", "1", "-b", "2"},
		},
		{
			"toolkit writes nested lists as Python does", StyleToolkit, false,
			`{"nested":["1",["2","3",[["6"]]]]}`,
			[]string{"--nested", "['1', ['2', '3', [['6']]]]"},
		},
		{
			"toolkit writes objects as key=value", StyleToolkit, false,
			`{"map":{"a":[1,3,4]},"channel_dirs":{"train":"foo","eval":"bar"}}`,
			[]string{"--channel_dirs", "eval=bar,train=foo", "--map", "a=[1, 3, 4]"},
		},
		{
			"toolkit booleans", StyleToolkit, false, `{"truthy":true,"falsy":false}`,
			[]string{"--falsy", "False", "--truthy", "True"},
		},
		{
			"toolkit sorts odd names", StyleToolkit, false,
			`{"é":"1","lr":"1","b":"1","a":"1","_x":"1","B":"1","9":"1","10":"1"}`,
			[]string{
				"--10", "1", "-9", "1", "-B", "1", "--_x", "1", "-a", "1", "-b", "1", "--lr", "1", "-é", "1",
			},
		},
		// This case comes from the drivers' own test of hyperparameters_to_cli_args, test_utils.py.
		{
			"drivers", StyleDrivers, false,
			`{"boolean":"true","dict":"{\"string\":\"value\",\"list\":[1,2]}","float":"3.14",` +
				`"string":"Hello World","sagemaker_program":"x"}`,
			[]string{
				"--boolean", "true", "--dict", `{"string": "value", "list": [1, 2]}`, "--float", "3.14",
				"--string", "Hello World", "--sagemaker_program", "x",
			},
		},
		{"drivers decode twice", StyleDrivers, false, `{"q":"\"1.10\""}`, []string{"--q", "1.1"}},

		{
			"gnu", StyleGNU, false, mixed,
			[]string{
				"--lr=1.10", "--b", "--l=1", "--l=2.50", "--l=x y", "--l=[3]",
				"--o.p=1e5", "--o.q.r=s", "--s=it's", "--batch-size=1E-05",
			},
		},
		{"gnu negated", StyleGNU, true, `{"off":"false","o":"{\"p\":false}"}`, []string{"--no-off", "--no-o.p"}},
		{"gnu keeps letters", StyleGNU, false, `{"k":"[{\"é\":\"日本\"}]"}`, []string{`--k={"é":"日本"}`}},
		{
			"hydra", StyleHydra, false, mixed,
			[]string{
				"lr=1.10", "b=true", "off=false", "none=null", "l=[1,2.50,'x y',[3]]",
				"o={p:1e5,q:{r:s}}", `s='it\'s'`, "batch-size=1e-5", "e=[]",
			},
		},
		{
			"hydra quotes strings that look like other values", StyleHydra, false,
			`{"a":"\"1\"","b":"\"true\"","c":"\"NULL\"","d":"Infinity","e":"NaN",` +
				`"f":"\"\"","g":"7x","h":"\"nan\""}`,
			[]string{"a='1'", "b='true'", "c='NULL'", "d=inf", "e=nan", "f=''", "g='7x'", "h='nan'"},
		},
		{
			"hydra escapes quotes, backslashes and interpolations", StyleHydra, false,
			`{"a":"C:\\","b":"x\\'y","c":"${env:X}","d":"\\${x}","e":"/opt/ml/x.y-z","f":"a,b"}`,
			[]string{`a='C:\\'`, `b='x\\\'y'`, `c='\${env:X}'`, `d='\\\${x}'`, "e=/opt/ml/x.y-z", "f='a,b'"},
		},
		{"hydra dict keys", StyleHydra, false, `{"a":{"b c":1,"x=y":2}}`, []string{`a={b\ c:1,x\=y:2}`}},
		{"none", StyleNone, false, mixed, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, argWords(t, c.style, c.doc, c.negate)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Every hyperparameter that Hydra's grammar cannot express is named in the error.
func TestHydraNamesWhatItCannotExpress(t *testing.T) {
	_, err := Args(StyleHydra, params(t, `{"objective:metric":"1","ok":"1","d":{"é":1},"":"x"}`), false)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`"objective:metric"`, `"d"`, `"é"`, `""`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), `"ok"`) {
		t.Errorf("the error names a hyperparameter that Hydra can express: %v", err)
	}
}

// The file holds 75 values, each with the texts that the toolkit and the drivers printed for it.
func TestValuesAreWrittenAsTheReferencesWriteThem(t *testing.T) {
	f, err := os.Open("../tests/testdata/cases/toolkit-values.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := 0
	for lines := bufio.NewScanner(f); lines.Scan(); rows++ {
		row, _, err := Parse(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		p := Params{{Name: "k", Raw: row.Items[0], Value: Decode(row.Items[0])}}
		got := []string{
			row.Items[0].Text,
			toolkitArgs(p)[0].Words[1],
			ToolkitText(p[0].Value),
			JSON(p.Object(), ToolkitJSON()),
			driversArgs(p)[0].Words[1],
			DriversText(p[0].Value),
			JSON(p.Object(), DriversJSON()),
		}
		want := make([]string, len(row.Items))
		for i, item := range row.Items {
			want[i] = item.Text
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-reference +ours):\n%s", diff)
		}
	}
	if rows < 70 {
		t.Errorf("only %d rows", rows)
	}
}

// The platform's own names are in small letters. A name such as SAGEMAKER_up belongs to the trainer.
func TestUserParamsLeaveOutThoseOfThePlatform(t *testing.T) {
	const doc = `{"sagemaker_x":"1","SAGEMAKER_up":"2","_tuning_objective_metric":"3","x":"4"}`
	var names []string
	for _, p := range params(t, doc).User() {
		names = append(names, p.Name)
	}
	if diff := cmp.Diff([]string{"SAGEMAKER_up", "x"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestVariablesAreNamedAsTheReferencesNameThem(t *testing.T) {
	for in, want := range map[string]string{
		"hp_batch-size": "SM_HP_BATCH-SIZE", "hp_a.b": "SM_HP_A.B", "hp_ß": "SM_HP_SS",
	} {
		if got := ToolkitName(in); got != want {
			t.Errorf("ToolkitName(%q) = %q, want %q", in, got, want)
		}
	}
	if got := DriversName("batch-size.x"); got != "SM_HP_BATCH_SIZE.X" {
		t.Errorf("DriversName: %q", got)
	}
	for in, want := range map[string]string{
		"SM_HP_BATCH-SIZE": "SM_HP_BATCH_SIZE", "SM_HP_Α": "SM_HP__", "SM_HP_A=B": "SM_HP_A_B",
	} {
		if got := ShellName(in); got != want {
			t.Errorf("ShellName(%q) = %q, want %q", in, got, want)
		}
	}
}
