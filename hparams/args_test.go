package hparams

import (
	"bufio"
	"errors"
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

func argWords(t *testing.T, style Style, doc string, choices GNU) []string {
	t.Helper()
	args, err := Args(style, params(t, doc), choices)
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
		name    string
		style   Style
		choices GNU
		doc     string
		want    []string
	}{
		// These cases come from the toolkit's own test, test_mapping.py::test_to_cmd_args.
		{
			"toolkit sorts by code point", StyleToolkit,
			GNU{},
			`{"da-sh":"1","un_der":"2","un-sh":"3","da_der":"2"}`,
			[]string{"--da-sh", "1", "--da_der", "2", "--un-sh", "3", "--un_der", "2"},
		},
		{"toolkit without hyperparameters", StyleToolkit, GNU{}, `{}`, []string{}},
		{"toolkit with an empty name", StyleToolkit, GNU{}, `{"":""}`, []string{"", ""}},
		{
			"toolkit writes names of one letter with one hyphen", StyleToolkit,
			GNU{},
			`{"U":"1","b":"2","T":"","":"42"}`,
			[]string{"", "42", "-T", "", "-U", "1", "-b", "2"},
		},
		{
			"toolkit writes nested lists as Python does", StyleToolkit,
			GNU{},
			`{"nested":["1",["2","3",[["6"]]]]}`,
			[]string{"--nested", "['1', ['2', '3', [['6']]]]"},
		},
		{
			"toolkit writes objects as key=value", StyleToolkit,
			GNU{},
			`{"map":{"a":[1,3,4]},"channel_dirs":{"train":"foo","eval":"bar"}}`,
			[]string{"--channel_dirs", "eval=bar,train=foo", "--map", "a=[1, 3, 4]"},
		},
		{
			"toolkit booleans", StyleToolkit,
			GNU{},
			`{"truthy":true,"falsy":false}`,
			[]string{"--falsy", "False", "--truthy", "True"},
		},
		{
			"toolkit sorts odd names", StyleToolkit,
			GNU{},
			`{"é":"1","lr":"1","b":"1","a":"1","_x":"1","B":"1","9":"1","10":"1"}`,
			[]string{
				"--10", "1", "-9", "1", "-B", "1", "--_x", "1", "-a", "1", "-b", "1", "--lr", "1", "-é", "1",
			},
		},
		// This case comes from the drivers' own test of hyperparameters_to_cli_args, test_utils.py.
		{
			"drivers", StyleDrivers,
			GNU{},
			`{"boolean":"true","dict":"{\"string\":\"value\",\"list\":[1,2]}","float":"3.14",` +
				`"string":"Hello World","sagemaker_program":"x"}`,
			[]string{
				"--boolean", "true", "--dict", `{"string": "value", "list": [1, 2]}`, "--float", "3.14",
				"--string", "Hello World", "--sagemaker_program", "x",
			},
		},
		{"drivers decode twice", StyleDrivers, GNU{}, `{"q":"\"1.10\""}`, []string{"--q", "1.1"}},

		{
			"gnu", StyleGNU,
			GNU{},
			mixed,
			[]string{
				"--lr=1.10", "--b", "--l=1", "--l=2.50", "--l=x y", "--l=[3]",
				"--o.p=1e5", "--o.q.r=s", "--s=it's", "--batch-size=1E-05",
			},
		},
		{
			"gnu negated", StyleGNU,
			GNU{Bool: BoolNo},
			`{"off":"false","o":"{\"p\":false}"}`,
			[]string{"--no-off", "--no-o.p"},
		},
		{
			"gnu with values", StyleGNU,
			GNU{Bool: BoolValue},
			`{"on":"true","off":"false","o":"{\"p\":false,\"q\":true}","n":"null","x":"true"}`,
			[]string{"--on=true", "--off=false", "--o.p=false", "--o.q=true", "--x=true"},
		},
		{
			"gnu takes Python's booleans", StyleGNU,
			GNU{Bool: BoolNo},
			`{"a":"True","b":"False","c":"TRUE"}`,
			[]string{"--a", "--no-b", "--c=TRUE"},
		},
		{
			"gnu takes Python's booleans as values", StyleGNU,
			GNU{Bool: BoolValue},
			`{"a":"True","b":"False"}`,
			[]string{"--a=true", "--b=false"},
		},
		{
			"gnu leaves quoted words alone", StyleGNU,
			GNU{},
			`{"a":"\"True\"","b":"\"false\"","c":["True"]}`,
			[]string{"--a=True", "--b=false", "--c=True"},
		},
		{
			"gnu leaves out empty lists", StyleGNU,
			GNU{},
			`{"e":"[]","o":{"e":[]},"d":"{}","s":""}`,
			[]string{"--s="},
		},
		{
			"gnu writes empty lists", StyleGNU,
			GNU{Empty: true},
			`{"e":"[]","o":{"e":[]},"d":"{}","s":""}`,
			[]string{"--e=", "--o.e=", "--s="},
		},
		{
			"gnu writes one letter with two hyphens", StyleGNU,
			GNU{},
			`{"x":"4","v":"true","é":"1","l":"[1,2]"}`,
			[]string{"--x=4", "--v", "--é=1", "--l=1", "--l=2"},
		},
		{
			"gnu writes one letter with one hyphen", StyleGNU,
			GNU{Short: true},
			`{"x":"4","v":"true","w":"false","é":"1","l":"[1,2]","lr":"1","o":{"p":1},"n":"-4"}`,
			[]string{"-x", "4", "-v", "-é", "1", "-l", "1", "-l", "2", "--lr=1", "--o.p=1", "-n", "-4"},
		},
		{
			"gnu writes one letter with a value", StyleGNU,
			GNU{Short: true, Bool: BoolValue},
			`{"v":"true","w":"False"}`,
			[]string{"-v", "true", "-w", "false"},
		},
		{
			"json", StyleJSON,
			GNU{},
			mixed,
			[]string{
				"--lr=1.10", "--b=true", "--off=false", "--none=null", `--l=[1,2.50,"x y",[3]]`,
				`--o={"p":1e5,"q":{"r":"s"}}`, "--s=it's", "--batch-size=1E-05", "--e=[]",
			},
		},
		{"json keeps letters", StyleJSON, GNU{}, `{"k":"[\"日本\"]","t":"日本"}`, []string{`--k=["日本"]`, "--t=日本"}},
		{
			"json takes Python's booleans", StyleJSON,
			GNU{},
			`{"k":"True","l":"False"}`,
			[]string{"--k=true", "--l=false"},
		},
		{"json keeps the text True", StyleJSON, GNU{}, `{"k":"\"True\""}`, []string{"--k=True"}},
		{
			"json writes one letter with one hyphen", StyleJSON,
			GNU{Short: true, Empty: true, Bool: BoolNo},
			`{"x":"[1,2]","b":"false","e":"[]","ee":"[]"}`,
			[]string{"-x", "[1,2]", "-b", "false", "-e", "[]", "--ee=[]"},
		},
		{"gnu keeps letters", StyleGNU, GNU{}, `{"k":"[{\"é\":\"日本\"}]"}`, []string{`--k={"é":"日本"}`}},
		{
			"hydra", StyleHydra,
			GNU{},
			mixed,
			[]string{
				"lr=1.10", "b=true", "off=false", "none=null", "l=[1,2.50,'x y',[3]]",
				"o={p:1e5,q:{r:s}}", `s='it\'s'`, "batch-size=1e-5", "e=[]",
			},
		},
		{
			"hydra quotes strings that look like other values", StyleHydra,
			GNU{},
			`{"a":"\"1\"","b":"\"true\"","c":"\"NULL\"","d":"Infinity","e":"NaN",` +
				`"f":"\"\"","g":"7x","h":"\"nan\""}`,
			[]string{"a='1'", "b='true'", "c='NULL'", "d=inf", "e=nan", "f=''", "g='7x'", "h='nan'"},
		},
		{
			"hydra escapes quotes, backslashes and interpolations", StyleHydra,
			GNU{},
			`{"a":"C:\\","b":"x\\'y","c":"${env:X}","d":"\\${x}","e":"/opt/ml/x.y-z","f":"a,b"}`,
			[]string{`a='C:\\'`, `b='x\\\'y'`, `c='\${env:X}'`, `d='\\\${x}'`, "e=/opt/ml/x.y-z", "f='a,b'"},
		},
		{"hydra dict keys", StyleHydra, GNU{}, `{"a":{"b c":1,"x=y":2}}`, []string{`a={b\ c:1,x\=y:2}`}},
		{
			"hydra takes Python's booleans", StyleHydra,
			GNU{},
			`{"a":"True","b":"False","c":"\"True\""}`,
			[]string{"a=true", "b=false", "c='True'"},
		},
		{
			"hydra adds, forces, deletes and picks groups", StyleHydra,
			GNU{},
			`{"+a":"1","++a.b":"x","~c":"","~d":"null","~e":"7","~f.g":"\"\"","db/x":"y","db@src:dst":"z",` +
				`"+db@p.q":"m","db@:dst":"n","a.0.b":"1","$k-1":"2","++db/x@_global_":"o"}`,
			[]string{
				"+a=1", "++a.b=x", "~c", "~d", "~e=7", "~f.g", "db/x=y", "db@src:dst=z", "+db@p.q=m",
				"db@:dst=n", "a.0.b=1", "$k-1=2", "++db/x@_global_=o",
			},
		},
		{
			"hydra keeps keys that are text", StyleHydra,
			GNU{},
			`{"a":{"0x":1,"007":2,"truey":3,"1 2":4,"-":5,"e5":6,"1_":7,"__1":8,"nulls":9,"1.2.3":10}}`,
			[]string{`a={0x:1,007:2,truey:3,1\ 2:4,-:5,e5:6,1_:7,__1:8,nulls:9,1.2.3:10}`},
		},
		{
			"hydra quotes text that is a number", StyleHydra,
			GNU{},
			`{"a":["1_0","-Inf",".5","+3"]}`,
			[]string{"a=['1_0','-Inf','.5','+3']"},
		},
		{"none", StyleNone, GNU{}, mixed, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, argWords(t, c.style, c.doc, c.choices)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Every hyperparameter that Hydra's grammar cannot express is named in the error.
func TestHydraNamesWhatItCannotExpress(t *testing.T) {
	_, err := Args(StyleHydra, params(t, `{"objective:metric":"1","ok":"1","d":{"é":1},"":"x"}`), GNU{})
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

// A key in an object that Hydra would read as a number, a boolean or null has no other spelling.
func TestHydraRefusesKeysThatWouldChangeTheirType(t *testing.T) {
	for _, key := range []string{
		"0", "12", "-1", "+5", "1_000", "1.5", ".5", "5.", "1e5", "1E-05", "true", "True", "FALSE", "null", "Null",
		"inf", "-INF", "nan",
	} {
		for _, doc := range []string{`{"a":{"` + key + `":1}}`, `{"a":[{"b":{"` + key + `":1}}]}`} {
			_, err := Args(StyleHydra, params(t, doc), GNU{})
			if err == nil || !strings.Contains(err.Error(), Quote(key)) {
				t.Errorf("%s: %v", doc, err)
			}
		}
	}
}

func TestHydraRefusesWhatIsNoKey(t *testing.T) {
	for _, key := range []string{
		"", "+", "++", "~", "+++a", "~+a", "-a", "/a", "a/", "a//b", "a/b.c", ".a", "a.", "a..b", "9",
		"0.a b", "a b", "a:b",
		"@a", "a@b@c", "a@b:c:d", "a@b/c", "a=b", "é", "a,b", "01.a", "a.01",
	} {
		if args, err := Args(StyleHydra, params(t, `{`+Quote(key)+`:"1"}`), GNU{}); err == nil {
			t.Errorf("%q became %v", key, args)
		}
	}
}

// A parser would take such a flag for another one.
func TestFlagsThatAParserWouldMisreadAreRefused(t *testing.T) {
	for _, style := range []Style{StyleGNU, StyleJSON} {
		for _, doc := range []string{
			`{"a=b":"1"}`, `{"=":"1"}`, `{"-x":"1"}`, `{"--x":"true"}`, `{"":"1"}`, `{"-":"false"}`,
			`{" ":"2"}`, `{"a b":"1"}`, `{"a\n":"1"}`, `{"\u00a0a":"1"}`, `{"a\u007f":"1"}`,
		} {
			args, err := Args(style, params(t, doc), GNU{})
			if _, ok := errors.AsType[*ParamError](err); !ok {
				t.Errorf("%s: %s became %v, %v", style, doc, args, err)
			}
		}
	}
	for _, doc := range []string{`{"o":{"a=b":1}}`, `{"o":{"":1}}`, `{"o":{"p":{"-q":true}}}`, `{"o":{" ":1}}`} {
		if args, err := Args(StyleGNU, params(t, doc), GNU{}); err == nil {
			t.Errorf("%s became %v", doc, args)
		}
	}
}

func TestFalseThatAddsNoFlagIsNoticed(t *testing.T) {
	for doc, want := range map[string]bool{
		`{"a":"false"}`: true, `{"a":"False"}`: true, `{"a":false}`: true, `{"a":{"b":{"c":false}}}`: true,
		`{"a":"true"}`: false, `{"a":"\"False\""}`: false, `{"a":"[false]"}`: false,
		`{"a":"0"}`: false, `{"a":{}}`: false,
	} {
		for _, form := range []BoolForm{"", BoolFlag, BoolNo, BoolValue} {
			g := GNU{Bool: form}
			got := g.LeavesOutFalse(params(t, doc)[0])
			if want := want && (form == "" || form == BoolFlag); got != want {
				t.Errorf("%s with %q: %v, want %v", doc, form, got, want)
			}
		}
	}
}
