package hparams

import (
	"errors"
	"strings"
)

// hydraArgs writes key=value overrides in the grammar of Hydra 1.1 and later (OverrideLexer.g4 and
// OverrideParser.g4). It escapes OmegaConf's interpolations (${…}), so that each value arrives unchanged.
func hydraArgs(params Params) ([]Arg, error) {
	var args []Arg
	var errs []error
	for _, p := range params {
		value, err := hydraValue(p.Value)
		if !isHydraKey(p.Name) {
			err = errors.New("a key takes letters, digits and _ . - / @ $ only")
		}
		if err != nil {
			errs = append(errs, unsupported(StyleHydra, p.Name, err.Error()))
			continue
		}
		args = append(args, Arg{Name: p.Name, Words: []string{p.Name + "=" + value}})
	}
	return args, errors.Join(errs...)
}

func isHydraKey(key string) bool {
	return IsWord(key, "_.-/@$") && strings.IndexByte("-/@.", key[0]) < 0
}

func hydraValue(v Value) (string, error) {
	switch v.Kind {
	case Null:
		return "null", nil
	case Bool, Int:
		return v.Text, nil
	case Float:
		return hydraFloat(v.Text), nil
	case String:
		return hydraString(v.Text), nil
	case List:
		parts := make([]string, len(v.Items))
		for i, item := range v.Items {
			part, err := hydraValue(item)
			if err != nil {
				return "", err
			}
			parts[i] = part
		}
		return "[" + strings.Join(parts, ",") + "]", nil
	default:
		return hydraDict(v.Fields)
	}
}

func hydraDict(fields []Field) (string, error) {
	parts := make([]string, len(fields))
	for i, f := range fields {
		if strings.TrimSpace(f.Key) != f.Key || !IsWord(f.Key, `_-/\+.$%*@?|()[]{}:=, `+"\t") {
			return "", errors.New("its grammar has no way to write the key " + Quote(f.Key))
		}
		value, err := hydraValue(f.Value)
		if err != nil {
			return "", err
		}
		parts[i] = escapeEach(f.Key, `\()[]{}:=, `+"\t") + ":" + value
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}

func escapeEach(s, special string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if strings.IndexByte(special, c) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// hydraFloat returns a number's own text, but changes two spellings that Hydra would read as strings: JSON's
// names for NaN and the infinities, and an exponent that begins with a zero.
func hydraFloat(text string) string {
	switch text {
	case "NaN":
		return "nan"
	case "Infinity":
		return "inf"
	case "-Infinity":
		return "-inf"
	}
	mantissa, exponent, ok := strings.Cut(strings.ToLower(text), "e")
	if !ok {
		return text
	}
	digits := strings.TrimLeft(exponent, "+-")
	sign := exponent[:len(exponent)-len(digits)]
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		digits = "0"
	}
	return mantissa + "e" + sign + digits
}

func hydraString(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "null", "inf", "nan":
		return "'" + s + "'"
	}
	if IsWord(s, "_./-") && !IsDigit(s[0]) && strings.IndexByte(".-", s[0]) < 0 {
		return s
	}
	return hydraQuote(replaceAndDouble(s, "${", `\${`))
}

// hydraQuote puts s in single quotes. It doubles the backslashes in front of each quote, also in front of the
// closing one.
func hydraQuote(s string) string {
	s = replaceAndDouble(s+"'", "'", `\'`)
	return "'" + strings.TrimSuffix(s, `\'`) + "'"
}

// replaceAndDouble replaces each old in s and doubles the backslashes directly in front of it.
func replaceAndDouble(s, old, replacement string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, old)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		run := len(before) - len(strings.TrimRight(before, `\`))
		b.WriteString(strings.Repeat(`\`, run))
		b.WriteString(replacement)
		s = after
	}
}
