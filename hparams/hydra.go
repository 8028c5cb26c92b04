package hparams

import (
	"errors"
	"slices"
	"strings"
)

// hydraArgs writes key=value overrides in the grammar of Hydra 1.1 and later (OverrideLexer.g4 and
// OverrideParser.g4). It escapes OmegaConf's interpolations (${…}), so that each value arrives unchanged.
func hydraArgs(params Params) ([]Arg, error) {
	var args []Arg
	var errs []error
	for _, p := range params {
		word, err := hydraWord(p)
		if err != nil {
			errs = append(errs, unsupported(StyleHydra, p.Name, err.Error()))
			continue
		}
		args = append(args, Arg{Name: p.Name, Words: []string{word}})
	}
	return args, errors.Join(errs...)
}

// hydraWord writes one override. A deletion (~key) whose value is null or the empty text deletes whatever
// value is there: with a value Hydra deletes only that one.
func hydraWord(p Param) (string, error) {
	if !isHydraKey(p.Name) {
		return "", errors.New("expected a key such as lr, +model.lr, ++lr, ~lr, db/mysql, db@backup, db@a:b")
	}
	v := p.typed()
	if strings.HasPrefix(p.Name, "~") && (v.Kind == Null || v.Kind == String && v.Text == "") {
		return p.Name, nil
	}
	value, err := hydraValue(v)
	return p.Name + "=" + value, err
}

// isHydraKey tells whether a name is a key of an override: key, +key, ++key or ~key, where a key is a package
// or a group, and may name one package or two: group@package, group@from:to.
func isHydraKey(name string) bool {
	for _, prefix := range []string{"~", "++", "+"} {
		if rest, found := strings.CutPrefix(name, prefix); found {
			name = rest
			break
		}
	}
	key, packages, renames := strings.Cut(name, "@")
	if !isHydraGroup(key) && !isHydraPackage(key) {
		return false
	}
	from, to, _ := strings.Cut(packages, ":")
	return !renames || (from == "" || isHydraPackage(from)) && (to == "" || isHydraPackage(to))
}

// isHydraGroup tells whether a name is a group: ids with slashes between them.
func isHydraGroup(name string) bool {
	return !slices.ContainsFunc(strings.Split(name, "/"), func(id string) bool { return !isHydraID(id) })
}

// isHydraPackage tells whether a name is an id, or ids and whole numbers with dots between them.
func isHydraPackage(name string) bool {
	parts := strings.Split(name, ".")
	for _, part := range parts {
		isIndex := part == "0" || strings.Trim(part, "0123456789") == "" && !strings.HasPrefix(part, "0")
		if !isHydraID(part) && (len(parts) < 2 || part == "" || !isIndex) {
			return false
		}
	}
	return true
}

func isHydraID(s string) bool { return IsWord(s, "_-$") && !IsDigit(s[0]) && s[0] != '-' }

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
		if hydraTypes(f.Key) {
			return "", errors.New("its grammar reads the key " + Quote(f.Key) + " as a value of another type")
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

// hydraTypes tells whether Hydra reads a bare text as null, as a boolean or as a number: NULL, BOOL, INT and
// FLOAT of OverrideLexer.g4.
func hydraTypes(s string) bool {
	s = strings.ToLower(s)
	unsigned := s
	if s != "" && (s[0] == '+' || s[0] == '-') {
		unsigned = s[1:]
	}
	switch {
	case s == "null", s == "true", s == "false", unsigned == "inf", unsigned == "nan":
		return true
	}
	mantissa, exponent, hasExponent := strings.Cut(unsigned, "e")
	if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
		exponent = exponent[1:]
	}
	if hasExponent && !isHydraDigits(exponent) {
		return false
	}
	whole, fraction, hasPoint := strings.Cut(mantissa, ".")
	isWhole := whole == "0" || isHydraDigits(whole) && whole[0] != '0'
	if !hasPoint {
		return isWhole
	}
	return isWhole && fraction == "" || (isWhole || whole == "") && isHydraDigits(fraction)
}

// isHydraDigits tells whether a text is digits, with single underscores between them.
func isHydraDigits(s string) bool {
	return strings.Trim(s, "0123456789_") == "" && !strings.Contains("_"+s+"_", "__") && s != ""
}

func hydraString(s string) string {
	if hydraTypes(s) {
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
