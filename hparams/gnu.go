package hparams

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// GNU holds the choices for the styles that write --name=value. Parsers differ in them.
type GNU struct {
	Bool  BoolForm
	Empty bool // an empty list becomes --name= and not nothing; only in the style gnu
	Short bool // a name of one letter becomes -x VALUE and not --x=VALUE
}

// BoolForm says how the style gnu writes true and false.
type BoolForm string

// The forms of true and false.
const (
	BoolFlag  BoolForm = "flag"  // --name, and nothing for false
	BoolNo    BoolForm = "no"    // --name and --no-name
	BoolValue BoolForm = "value" // --name=true and --name=false
)

// BoolForms lists the names of all forms, the default first.
func BoolForms() []string { return []string{string(BoolFlag), string(BoolNo), string(BoolValue)} }

// args writes the words of each hyperparameter by a function.
func (g GNU) args(params Params, write func(p Param) ([]string, error)) ([]Arg, error) {
	var args []Arg
	var errs []error
	for _, p := range params {
		err := checkFlagName(p.Name)
		var words []string
		if err == nil {
			words, err = write(p)
		}
		if err != nil {
			errs = append(errs, &ParamError{Name: p.Name, Msg: "no flag can have it: " + err.Error()})
		} else if len(words) > 0 {
			args = append(args, Arg{Name: p.Name, Words: words})
		}
	}
	return args, errors.Join(errs...)
}

// checkFlagName says why a name, or a key in an object, cannot be the name of a flag: a parser would find
// another name, or another value.
func checkFlagName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case strings.HasPrefix(name, "-"):
		return errors.New("the name " + Quote(name) + " begins with a hyphen")
	case strings.Contains(name, "="):
		return errors.New("the name " + Quote(name) + " holds an equals sign")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return errors.New("the name " + Quote(name) + " holds a space or a control character")
	}
	return nil
}

// gnuWords writes a hyperparameter in the style gnu.
func (g GNU) gnuWords(p Param) ([]string, error) { return g.words(p.Name, p.typed()) }

// words writes a value in the style gnu. A number keeps the text that it has in the file: 1.10 stays 1.10.
func (g GNU) words(name string, v Value) (words []string, err error) {
	switch v.Kind {
	case Null:
		return nil, nil
	case Bool:
		return g.boolWords(name, v.Text), nil
	case List:
		if len(v.Items) == 0 && g.Empty {
			return g.flag(name, ""), nil
		}
		for _, item := range v.Items {
			words = append(words, g.flag(name, plainText(item))...)
		}
		return words, nil
	case Object:
		for _, f := range v.Fields {
			if err := checkFlagName(f.Key); err != nil {
				return nil, err
			}
			inner, err := g.words(name+"."+f.Key, f.Value)
			if err != nil {
				return nil, err
			}
			words = append(words, inner...)
		}
		return words, nil
	default:
		return g.flag(name, plainText(v)), nil
	}
}

func (g GNU) boolWords(name, truth string) []string {
	switch {
	case g.Bool == BoolValue:
		return g.flag(name, truth)
	case truth == "true":
		return []string{g.dashed(name)}
	case g.Bool == BoolNo:
		return []string{"--no-" + name}
	}
	return nil
}

// jsonWords writes a hyperparameter in the style json: a string as it is, any other value as JSON.
func (g GNU) jsonWords(p Param) ([]string, error) { return g.flag(p.Name, plainText(p.typed())), nil }

// Flags returns the flags among the words of the style gnu, each without its value.
func (a Arg) Flags() []string {
	if len(a.Words) > 0 && !strings.HasPrefix(a.Words[0], "--") {
		return a.Words[:1] // -x VALUE, perhaps more than once
	}
	flags := make([]string, len(a.Words))
	for i, word := range a.Words {
		flags[i], _, _ = strings.Cut(word, "=")
	}
	return flags
}

// flag writes a flag with its value.
func (g GNU) flag(name, value string) []string {
	if dashed := g.dashed(name); !strings.HasPrefix(dashed, "--") {
		return []string{dashed, value}
	}
	return []string{"--" + name + "=" + value}
}

func (g GNU) dashed(name string) string {
	if g.Short && utf8.RuneCountInString(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// plainText writes a value as one word: a string as it is, any other value as JSON.
func plainText(v Value) string {
	if v.Kind == String {
		return v.Text
	}
	return JSON(v, PlainJSON())
}

// LeavesOutFalse tells whether the style gnu writes nothing for a false in a hyperparameter. A parser whose
// default is true then keeps true.
func (g GNU) LeavesOutFalse(p Param) bool {
	return (g.Bool == BoolFlag || g.Bool == "") && holdsFalse(p.typed())
}

func holdsFalse(v Value) bool {
	if v.Kind == Bool {
		return v.Text == "false"
	}
	for _, f := range v.Fields {
		if holdsFalse(f.Value) {
			return true
		}
	}
	return false
}
