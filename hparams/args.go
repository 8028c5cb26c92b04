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
	StyleJSON    Style = "json"    // parsers that read lists and objects as JSON
	StyleNone    Style = "none"    // trainers that read the environment or a file: no words
)

// Styles lists the names of all styles, the default first.
func Styles() []string {
	return []string{
		string(StyleToolkit), string(StyleDrivers), string(StyleGNU), string(StyleHydra), string(StyleJSON),
		string(StyleNone),
	}
}

// Arg holds the command-line words of one hyperparameter.
type Arg struct {
	Name  string // the name of the hyperparameter
	Words []string
}

// Args writes hyperparameters as command-line words. The choices count for the styles gnu and json. The error
// joins a *ParamError for each hyperparameter that the style cannot express.
func Args(style Style, params Params, choices GNU) ([]Arg, error) {
	switch style {
	case StyleToolkit:
		return toolkitArgs(params.User()), nil
	case StyleDrivers:
		return driversArgs(params), nil
	case StyleGNU:
		return choices.args(params.User(), choices.gnuWords)
	case StyleJSON:
		return choices.args(params.User(), choices.jsonWords)
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

// unsupported returns the error for a hyperparameter that a style cannot express.
func unsupported(style Style, name, why string) error {
	return &ParamError{Name: name, Msg: fmt.Sprintf("the %s style cannot express it: %s", style, why)}
}
