package hparams

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Style names a way to write hyperparameters as command-line words.
type Style string

// The styles, and the programs that each is for.
const (
	StyleToolkit Style = "toolkit" // Python scripts written for the SageMaker Training Toolkit
	StyleDrivers Style = "drivers" // scripts written for the container drivers of SDK v3
	StyleGNU     Style = "gnu"     // C++ programs, and others with a GNU-style parser
	StyleHydra   Style = "hydra"   // Hydra and OmegaConf
	StyleNone    Style = "none"    // trainers that read the environment or a file: no words
)

// Styles lists the names of all styles, the default first.
func Styles() []string {
	return []string{
		string(StyleToolkit), string(StyleDrivers), string(StyleGNU), string(StyleHydra), string(StyleNone),
	}
}

// Arg holds the command-line words of one hyperparameter.
type Arg struct {
	Name  string // the name of the hyperparameter
	Words []string
}

// Args writes hyperparameters as command-line words. In the GNU style a false value becomes --no-NAME if
// negateFalse is set, and no word otherwise. The error joins a *ParamError for each hyperparameter that the
// style cannot express.
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

// toolkitArgs follows to_cmd_args in the toolkit's mapping.py.
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

// driversArgs follows hyperparameters_to_cli_args of the SDK v3 drivers. Like that function it decodes each
// value twice: the value "\"1.10\"" is the string "1.10" in SM_HPS, and 1.1 on the command line.
func driversArgs(params Params) []Arg {
	args := make([]Arg, 0, len(params))
	for _, p := range params {
		args = append(args, Arg{Name: p.Name, Words: []string{"--" + p.Name, DriversText(Decode(p.Value))}})
	}
	return args
}

// gnuArgs writes --name=value. A number keeps the text that it has in the file: 1.10 stays 1.10.
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

// gnuText writes a value as one word: a string as it is, any other value as JSON.
func gnuText(v Value) string {
	if v.Kind == String {
		return v.Text
	}
	return JSON(v, PlainJSON())
}

// unsupported returns the error for a hyperparameter that a style cannot express.
func unsupported(style Style, name, why string) error {
	return &ParamError{Name: name, Msg: fmt.Sprintf("the %s style cannot express it: %s", style, why)}
}
