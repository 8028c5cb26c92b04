package hparams

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Style is how hyperparameters become command-line words.
type Style string

// The styles; the design says whom each is for.
const (
	StyleToolkit Style = "toolkit"
	StyleDrivers Style = "drivers"
	StyleGNU     Style = "gnu"
	StyleHydra   Style = "hydra"
	StyleNone    Style = "none"
)

// Styles are all styles, the default first.
func Styles() []string {
	return []string{string(StyleToolkit), string(StyleDrivers), string(StyleGNU), string(StyleHydra), string(StyleNone)}
}

// Arg is what one hyperparameter adds to the command line.
type Arg struct {
	Name  string // of the hyperparameter
	Words []string
}

// Args renders hyperparameters as command-line words. NegateFalse makes a GNU false --no-flag; else it adds
// nothing. The error names a hyperparameter that the style cannot express.
func Args(style Style, params Params, negateFalse bool) ([]Arg, error) {
	switch style {
	case StyleToolkit:
		return toolkitArgs(params.User()), nil
	case StyleDrivers:
		return driversArgs(params), nil
	case StyleGNU:
		return gnuArgs(params.User(), negateFalse), nil
	case StyleHydra:
		return hydraArgs(params.User())
	default:
		return nil, nil
	}
}

// toolkitArgs is to_cmd_args of the toolkit's mapping.py.
func toolkitArgs(params Params) []Arg {
	args := make([]Arg, 0, len(params))
	for _, f := range sortedFields(params.Object().Fields) {
		name := f.Key
		switch utf8.RuneCountInString(name) {
		case 0:
		case 1:
			name = "-" + name
		default:
			name = "--" + name
		}
		args = append(args, Arg{Name: f.Key, Words: []string{name, toolkitWord(f.Value)}})
	}
	return args
}

func toolkitWord(v Value) string {
	switch v.Kind {
	case Null:
		return ""
	case Object:
		var pairs []string
		for _, f := range sortedFields(v.Fields) {
			pairs = append(pairs, f.Key+"="+PythonText(f.Value))
		}
		return strings.Join(pairs, ",")
	default:
		return PythonText(v)
	}
}

// driversArgs is hyperparameters_to_cli_args of the SDK v3 drivers, which decodes a second time what was
// decoded for SM_HPS: a value "\"1.10\"" ends as 1.1.
func driversArgs(params Params) []Arg {
	args := make([]Arg, 0, len(params))
	for _, p := range params {
		args = append(args, Arg{Name: p.Name, Words: []string{"--" + p.Name, DriversText(Decode(p.Value))}})
	}
	return args
}

// gnuArgs writes --name=value with every value in the text it came in.
func gnuArgs(params Params, negateFalse bool) []Arg {
	var args []Arg
	for _, p := range params {
		if words := gnuWords(nil, p.Name, p.Value, negateFalse); len(words) > 0 {
			args = append(args, Arg{Name: p.Name, Words: words})
		}
	}
	return args
}

func gnuWords(words []string, name string, v Value, negateFalse bool) []string {
	switch v.Kind {
	case Null:
		return words
	case Bool:
		if v.Text == "true" {
			return append(words, "--"+name)
		}
		if negateFalse {
			return append(words, "--no-"+name)
		}
		return words
	case List:
		for _, item := range v.Items {
			words = append(words, "--"+name+"="+gnuText(item))
		}
		return words
	case Object:
		for _, f := range v.Fields {
			words = gnuWords(words, name+"."+f.Key, f.Value, negateFalse)
		}
		return words
	default:
		return append(words, "--"+name+"="+gnuText(v))
	}
}

// gnuText is a value in one word: a string as it is, anything else as JSON.
func gnuText(v Value) string {
	if v.Kind == String {
		return v.Text
	}
	return JSON(v, PlainJSON())
}

// unsupported is the error of a style that has no words for a hyperparameter.
func unsupported(style Style, name, why string) error {
	return &ParamError{Name: name, Msg: fmt.Sprintf("the %s style cannot express it: %s", style, why)}
}
