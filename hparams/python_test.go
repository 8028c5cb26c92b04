package hparams

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// The test asks Python itself about thousands of values, made at random from a fixed seed.
func TestPythonWritesEachValueAsWeDo(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed: apt-get install python3")
	}
	texts := oracleTexts(rand.New(rand.NewPCG(1, 2)))
	cmd := exec.Command(python, "testdata/oracle.py")
	cmd.Stdin = strings.NewReader(JSON(Strs(texts), ToolkitJSON()))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if len(lines) != len(texts) {
		t.Fatalf("python answered %d of %d", len(lines), len(texts))
	}
	for i, text := range texts {
		answer, _, err := Parse(string(lines[i]))
		if err != nil {
			t.Fatal(err)
		}
		v := Decode(Str(text))
		for name, got := range map[string]string{
			"str": PythonText(v), "sorted": JSON(v, ToolkitJSON()), "spaced": JSON(v, DriversJSON()),
			"upper": pyUpper(text),
		} {
			if want, _ := answer.Get(name); want.Text != got {
				t.Errorf("%s of %+q:\n got %+q\nwant %+q", name, text, got, want.Text)
			}
		}
	}
}

// oracleTexts returns raw hyperparameter values: numbers, texts that almost are numbers, strings and nested
// documents.
func oracleTexts(r *rand.Rand) []string {
	texts := []string{
		"", " ", "-", "-0", "-0.0", "0", "00", "1.", ".5", "1_0", "0x1", "9007199254740993",
		"1e5", "1E+05", "1e-05", "1e22", "1e23", "1e400", "-1e400", "1e-400",
		strings.Repeat("9", 4300), strings.Repeat("9", 4301), "-" + strings.Repeat("9", 4300),
		"NaN", "-NaN", "nan", "Infinity", "-Infinity", "null", "nulll",
		"true ", "\ttrue\r\n", "\vtrue", "\u00a05", "\ufeff5",
		"[", "[]", "[ ]", "[1,]", "[,]", "[1] 2", "[[[[]]]]",
		"{", "{}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1,"b":2,"a":3}`, `{1:2}`,
		`"`, `"a`, `"a"b`, `'a'`, `"\x"`, `"\u12"`, "\"a\tb\"", `"\u0000"`, `["\u0000"]`,
		`"\ud800"`, `"\udc00\ud800"`, `"\ud800\u0041"`, `"\ud83d\ude80"`, `["\ud800"]`,
		`["'"]`, `["\""]`, `["'\""]`, `["\\"]`,
		"ß", "ŉ", "ﬃ", "ΐ", "ᾳ", "ǆ", "ı", "İ", "ſ", "ÿ", "µ", "Ω", "straße-π.x",
	}
	for range 3000 {
		f := math.Float64frombits(r.Uint64())
		texts = append(texts, strconv.FormatFloat(f, 'g', -1, 64), strconv.FormatFloat(f, 'e', r.IntN(20), 64),
			strconv.FormatFloat(r.NormFloat64()*math.Pow(10, float64(r.IntN(40)-20)), 'f', r.IntN(12), 64))
	}
	for range 2000 {
		doc := JSON(randomValue(r, 0), Dialect{Plain: r.IntN(2) == 0, Spaced: r.IntN(2) == 0})
		texts = append(texts, randomText(r), doc)
	}
	return texts
}

func randomText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteRune(randomRune(r))
	}
	return b.String()
}

// randomRune returns characters that Debian's Python knows. It has Unicode 14, and Go has Unicode 15.
func randomRune(r *rand.Rand) rune {
	for {
		c := rune(r.IntN([]int{0x80, 0x300, 0x3000, 0x10000, 0x10000}[r.IntN(5)]))
		if r.IntN(20) == 0 {
			c = 0x1f600 + c&0x3f
		}
		if c >= 0x1f600 {
			return c
		}
		known := unicode.In(c, unicode.Latin, unicode.Greek, unicode.Han, unicode.Cyrillic, unicode.Hangul,
			unicode.Sm, unicode.Zs, unicode.Co)
		if !isSurrogate(c) && (c < 0x80 || known) {
			return c
		}
	}
}

func randomValue(r *rand.Rand, depth int) Value {
	switch n := r.IntN(8 - depth); n {
	case 0:
		return Value{}
	case 1:
		return Truth(r.IntN(2) == 0)
	case 2:
		return Value{Kind: Int, Text: strconv.FormatInt(r.Int64()-r.Int64(), 10)}
	case 3:
		return Value{Kind: Float, Text: fmt.Sprintf("%g", r.ExpFloat64()) + "e" + strconv.Itoa(r.IntN(30)-15)}
	case 4:
		return Str(randomText(r))
	case 5, 6:
		v := Value{Kind: List}
		for range r.IntN(4) {
			v.Items = append(v.Items, randomValue(r, depth+1))
		}
		return v
	default:
		v := Value{Kind: Object}
		for range r.IntN(4) {
			v.Set(randomText(r), randomValue(r, depth+1))
		}
		return v
	}
}
