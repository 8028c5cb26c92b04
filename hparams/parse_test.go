package hparams

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParseKeepsOrderPlacesAndLastValues(t *testing.T) {
	doc := `{"b": [1, -0.50, "x\u00e9\ud83d\ude80", true, null], "a": {"k": NaN}, "b": 2}`
	got, duplicates, err := Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	nan := Field{Key: "k", Pos: 59, Value: Value{Kind: Float, Text: "NaN", Pos: 64}}
	want := Dict(
		"b", Value{Kind: Int, Text: "2", Pos: 75},
		"a", Value{Kind: Object, Pos: 58, Fields: []Field{nan}},
	)
	want.Fields[0].Pos, want.Fields[1].Pos = 1, 53
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Duplicate{{Key: "b", Pos: 70, Top: true}}, duplicates); diff != "" {
		t.Errorf("duplicates (-want +got):\n%s", diff)
	}
}

func TestEachSyntaxErrorSaysWhereItIsAndWhatStandsThere(t *testing.T) {
	for text, want := range map[string]string{
		``:                              "byte 0: found the end of the file where a JSON value should be",
		`{"a":1} x`:                     `byte 8: found 'x' after the end of the JSON document`,
		`{"a" 1}`:                       `byte 5: found '1' where ':' should be`,
		`{"a":1 "b":2}`:                 `byte 7: found '"' where an object needs ',' or '}'`,
		`{'a':1}`:                       `byte 1: found '\'' where a key in double quotes should be`,
		`{"a":1,}`:                      `byte 6: a trailing comma in front of '}', expected no comma there`,
		`[1 , ]`:                        `byte 3: a trailing comma in front of ']', expected no comma there`,
		`{"a":[{"b":2},],"c":3}`:        `byte 13: a trailing comma in front of ']', expected no comma there`,
		`{"a":1,,"b":2}`:                `byte 7: found ',' where a key in double quotes should be`,
		`{,}`:                           `byte 1: found ',' where a key in double quotes should be`,
		`[,]`:                           `byte 1: found ',' where a JSON value should be`,
		`{"a":1},`:                      `byte 7: found ',' after the end of the JSON document`,
		`[1 2]`:                         `byte 3: found '2' where a list needs ',' or ']'`,
		`[1`:                            `byte 2: found the end of the file where a list needs ',' or ']'`,
		`"abc`:                          "byte 0: the string that begins here has no closing quote",
		`{"a":"b`:                       "byte 5: the string that begins here has no closing quote",
		`{"a":"b\`:                      "byte 7: an escape that JSON does not know: write a backslash as \\\\",
		"{\"a\":\"b,\n\"c\":1}":         "byte 5: the string that begins here has no closing quote in its line",
		"{\"a\":\"b\r\n}":               "byte 5: the string that begins here has no closing quote in its line",
		`{"a":"b, "c":"d"}`:             "byte 5: the string that begins here has no closing quote",
		`{"a: "b"}`:                     "byte 1: the string that begins here has no closing quote",
		`["a, 1, "b"]`:                  "byte 1: the string that begins here has no closing quote",
		`["a," "b"]`:                    `byte 6: found '"' where a list needs ',' or ']'`,
		"\"a\tb\"":                      `byte 2: control character '\t' inside a string: write it as an escape`,
		"\"a\nb\"":                      `byte 2: control character '\n' inside a string: write it as an escape`,
		`"\q"`:                          `byte 1: an escape that JSON does not know: write a backslash as \\`,
		`"\u12"`:                        `byte 1: \u needs four hexadecimal digits`,
		`-x`:                            `byte 1: found 'x' where a digit should be`,
		`1.e5`:                          `byte 2: found 'e' where a digit should be`,
		`tru`:                           `byte 0: found 't' where a JSON value should be`,
		"\ufeff{}":                      `byte 0: found a byte order mark where a JSON value should be`,
		strings.Repeat("[", maxDepth+2): "byte 991: nested more than 990 deep",
	} {
		_, _, err := Parse(text)
		syntax, ok := errors.AsType[*SyntaxError](err)
		if !ok || syntax.Error() != want {
			t.Errorf("Parse(%.20q):\n got %v\nwant %s", text, err, want)
		}
	}
}

// FuzzParse checks that each text either fails with a place, or gives a value that every dialect can write
// and Parse can read back.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,2.50,"x",{"b":null}],"c":"\ud800"}`, `[NaN,-Infinity,1e400,-0,-0.0]`, `"\u0000\u007f\u2028"`,
		`{"a":1,"a":2}`, ` [ ] `, `1e-05`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, _, err := Parse(text)
		if err != nil {
			if _, ok := errors.AsType[*SyntaxError](err); !ok {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		for _, d := range []Dialect{ToolkitJSON(), DriversJSON(), PlainJSON()} {
			once := JSON(v, d)
			again, duplicates, err := Parse(once)
			if err != nil || len(duplicates) > 0 {
				t.Fatalf("%q became %q: %v, duplicates %v", text, once, err, duplicates)
			}
			if twice := JSON(again, d); once != twice {
				t.Fatalf("%q became %q and then %q", text, once, twice)
			}
		}
	})
}

// FuzzArgs checks that a string or a number always becomes one argument: a flag and a value for the toolkit
// and the drivers, one word in the other styles, but for names of one letter. The only other result is an
// error.
func FuzzArgs(f *testing.F) {
	f.Add("lr", "0.1", uint8(0))
	f.Add("a.b-c", `{"x":[1,{"y":"z"}],"p":null}`, uint8(1))
	f.Add("", `"\\'${x}"`, uint8(2))
	f.Add("x", "True", uint8(6))
	f.Add("-x=y", "[]", uint8(5))
	f.Add("++db/x@a:b.0", `{"0":{"true":1e-05}}`, uint8(3))
	words := map[Style]int{StyleToolkit: 2, StyleDrivers: 2, StyleGNU: 1, StyleHydra: 1, StyleJSON: 1}
	f.Fuzz(func(t *testing.T, name, raw string, choices uint8) {
		params := FromObject(Dict(name, Str(raw)))
		g := GNU{Empty: choices&1 > 0, Short: choices&2 > 0, Bool: BoolForm(BoolForms()[choices/4%3])}
		for style, want := range words {
			args, err := Args(style, params, g)
			scalar := params[0].Value.Kind == String || params[0].Value.Kind == Int || params[0].Value.Kind == Float
			if err != nil || !scalar || len(params.User()) == 0 {
				continue
			}
			if g.Short && utf8.RuneCountInString(name) == 1 && (style == StyleGNU || style == StyleJSON) {
				want = 2
			}
			if raw == "True" || raw == "False" { // a boolean in some styles
				continue
			}
			if len(args) != 1 || len(args[0].Words) != want {
				t.Fatalf("%s makes %q of %q=%q", style, args, name, raw)
			}
		}
	})
}
