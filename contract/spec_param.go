package contract

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"entrain/hparams"
)

// ParamSpec is one entry of SupportedHyperParameters.
type ParamSpec struct {
	Name       string
	Type       string   // Integer, Continuous, Categorical or FreeText; any other Type allows every value
	Min, Max   string   // the bounds of an Integer or a Continuous; empty if there is none
	Values     []string // the values of a Categorical; none if every value is allowed
	Required   bool
	Default    string
	HasDefault bool
}

// rangeKey returns the key that holds the Range of a Type. It is empty for a Type without a Range.
func rangeKey(typ string) string {
	return map[string]string{
		"Integer":     "IntegerParameterRangeSpecification",
		"Continuous":  "ContinuousParameterRangeSpecification",
		"Categorical": "CategoricalParameterRangeSpecification",
	}[typ]
}

func (d *document) parseParam(v hparams.Value, name string) ParamSpec {
	what := "hyperparameter " + hparams.Quote(name)
	prefix := what + ": "
	d.warnUnknownKeys(v, prefix, "Name", "Description", "Type", "Range",
		"IsTunable", "IsRequired", "DefaultValue")
	typ, ok := d.requiredString(v, "Type", what)
	p := ParamSpec{Name: name}
	if !ok {
		return p
	}
	p.Type = d.matchWord(typ, prefix+"Type", d.fail, "Integer", "Continuous", "Categorical", "FreeText")
	p.Required, _ = d.optionalBool(v, "IsRequired", prefix)
	if limits, ok := optionalMember(v, "Range"); ok && d.expectKind(limits, hparams.Object, prefix+"Range") {
		p.parseRange(d, limits, prefix)
	}
	if value, ok := d.optionalString(v, "DefaultValue", prefix); ok {
		p.Default, p.HasDefault = value.Text, true
		if !p.accepts(value.Text) {
			d.fail(value.Pos, "", "%sDefaultValue is %s, expected %s",
				prefix, valueForMessage(p.Name, value.Text), p.describe())
		}
	}
	return p
}

func (p *ParamSpec) parseRange(d *document, limits hparams.Value, prefix string) {
	key := rangeKey(p.Type)
	if key == "" {
		if p.Type == "FreeText" {
			p.reportFreeRange(d, limits, prefix)
		}
		return // an unknown Type has its error already
	}
	p.failOtherKeys(d, limits, prefix+"Range", key)
	v, ok := optionalMember(limits, key)
	if !ok || !d.expectKind(v, hparams.Object, prefix+key) {
		return
	}
	if p.Type == "Categorical" {
		p.failOtherKeys(d, v, prefix+key, "Values")
		p.Values = textsOf(d.stringList(v, "Values", prefix))
		return
	}
	p.failOtherKeys(d, v, prefix+key, "MinValue", "MaxValue")
	p.parseBounds(d, v, prefix)
}

// reportFreeRange reports the Range of a FreeText. It is an error if the Range is that of another Type, which
// may be the mistake. The generator of SageMaker's XGBoost has Ranges of its own for lists and tuples: those
// count as nothing.
func (p *ParamSpec) reportFreeRange(d *document, limits hparams.Value, prefix string) {
	report := d.warn
	for _, f := range limits.Fields {
		for _, typ := range []string{"Integer", "Continuous", "Categorical"} {
			if f.Key == rangeKey(typ) {
				report = d.fail
			}
		}
	}
	report(limits.Pos, "", "%sthe Type FreeText takes no Range", prefix)
}

// failOtherKeys adds an error for each other key. A misspelt bound would otherwise be no bound.
func (p *ParamSpec) failOtherKeys(d *document, v hparams.Value, what string, keys ...string) {
	for _, f := range v.Fields {
		if !slices.Contains(keys, f.Key) {
			d.fail(f.Pos, d.nearest(f.Key, keys), "%s has %s, expected %s for the Type %s",
				what, hparams.Quote(f.Key), strings.Join(keys, ", "), p.Type)
		}
	}
}

func (p *ParamSpec) parseBounds(d *document, v hparams.Value, prefix string) {
	number := ParamSpec{Type: p.Type}
	for key, to := range map[string]*string{"MinValue": &p.Min, "MaxValue": &p.Max} {
		if bound, ok := d.optionalString(v, key, prefix); ok && number.accepts(bound.Text) {
			*to = bound.Text
		} else if ok {
			d.fail(bound.Pos, "the format has numbers as strings", "%s%s is %s, expected %s",
				prefix, key, hparams.Quote(bound.Text), number.describe())
		}
	}
	if p.Min != "" && p.Max != "" && number.isLess(p.Max, p.Min) {
		d.fail(v.Pos, "", "%sMinValue %s is above MaxValue %s", prefix, p.Min, p.Max)
		p.Min, p.Max = "", "" // otherwise every value of the job would be an error too
	}
}

// accepts tells whether the hyperparameter may have a value.
func (p *ParamSpec) accepts(text string) bool {
	switch p.Type {
	case "Categorical":
		return len(p.Values) == 0 || slices.Contains(p.Values, text)
	case "Integer":
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return false
		}
	case "Continuous":
		f, err := strconv.ParseFloat(text, 64)
		isDecimal := strings.Trim(text, "0123456789.eE+-") == ""
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || !isDecimal {
			return false
		}
	default:
		return true
	}
	return (p.Min == "" || !p.isLess(text, p.Min)) && (p.Max == "" || !p.isLess(p.Max, text))
}

// isLess compares two numbers.
func (p *ParamSpec) isLess(a, b string) bool {
	if p.Type == "Integer" { // a float64 cannot hold every int64
		x, _ := strconv.ParseInt(a, 10, 64)
		y, _ := strconv.ParseInt(b, 10, 64)
		return x < y
	}
	x, _ := strconv.ParseFloat(a, 64)
	y, _ := strconv.ParseFloat(b, 64)
	return x < y
}

// describe describes the values that accepts allows, for error messages.
func (p *ParamSpec) describe() string {
	what := map[string]string{"Integer": "a whole number", "Continuous": "a number"}[p.Type]
	switch {
	case p.Type == "Categorical":
		return "one of " + quoteFirst(p.Values, 10)
	case p.Min != "" && p.Max != "":
		return what + " from " + p.Min + " to " + p.Max
	case p.Min != "":
		return what + " of at least " + p.Min
	case p.Max != "":
		return what + " of at most " + p.Max
	}
	return what
}

// valueForMessage writes the value of a name, and stars in its place if the name is secret.
func valueForMessage(name, text string) string {
	if IsSecret(name) {
		return masked
	}
	return hparams.Quote(text)
}
