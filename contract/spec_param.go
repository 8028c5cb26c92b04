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
	Type       string   // Integer, Continuous, Categorical or FreeText; what is none of them allows everything
	Min, Max   string   // of an Integer or a Continuous one; empty for none
	Values     []string // of a Categorical one; none for any
	Required   bool
	Default    string
	HasDefault bool
}

// rangeKey is the key of a type's Range.
func rangeKey(typ string) string {
	return map[string]string{
		"Integer": "IntegerParameterRangeSpecification", "Continuous": "ContinuousParameterRangeSpecification",
		"Categorical": "CategoricalParameterRangeSpecification",
	}[typ]
}

func parseParam(d *document, v hparams.Value) (ParamSpec, bool) {
	name, ok := d.required(v, "Name", "an entry of SupportedHyperParameters")
	if !ok {
		return ParamSpec{}, false
	}
	what := "hyperparameter " + hparams.Quote(name.Text)
	in := what + ": "
	d.known(v, in, "Name", "Description", "Type", "Range", "IsTunable", "IsRequired", "DefaultValue")
	typ, ok := d.required(v, "Type", what)
	if !ok {
		return ParamSpec{Name: name.Text}, true
	}
	p := ParamSpec{Name: name.Text, Type: d.oneOf(typ, in+"Type", d.fail, "Integer", "Continuous", "Categorical", "FreeText")}
	p.Required, _ = d.truth(v, "IsRequired", in)
	if limits, ok := optional(v, "Range"); ok && d.kind(limits, hparams.Object, in+"Range") {
		p.parseRange(d, limits, in)
	}
	if value, ok := d.str(v, "DefaultValue", in); ok {
		p.Default, p.HasDefault = value.Text, true
		if !p.takes(value.Text) {
			d.fail(value.Pos, "", "%sDefaultValue is %s, expected %s", in, shownValue(p.Name, value.Text), p.want())
		}
	}
	return p, true
}

func (p *ParamSpec) parseRange(d *document, limits hparams.Value, in string) {
	key := rangeKey(p.Type)
	if key == "" {
		if p.Type == "FreeText" {
			d.fail(limits.Pos, "", "%sthe Type FreeText takes no Range", in)
		}
		return // of a Type that is none everything has been said
	}
	p.only(d, limits, in+"Range", key)
	v, ok := optional(limits, key)
	if !ok || !d.kind(v, hparams.Object, in+key) {
		return
	}
	if p.Type == "Categorical" {
		p.only(d, v, in+key, "Values")
		p.Values = texts(d.strings(v, "Values", in))
		return
	}
	p.only(d, v, in+key, "MinValue", "MaxValue")
	p.parseBounds(d, v, in)
}

// only refuses other keys: a misspelt bound would be none.
func (p *ParamSpec) only(d *document, v hparams.Value, what string, keys ...string) {
	for _, f := range v.Fields {
		if !slices.Contains(keys, f.Key) {
			d.fail(f.Pos, Nearest(f.Key, keys), "%s has %s, expected %s for the Type %s", what, hparams.Quote(f.Key), strings.Join(keys, ", "), p.Type)
		}
	}
}

func (p *ParamSpec) parseBounds(d *document, v hparams.Value, in string) {
	number := ParamSpec{Type: p.Type}
	for key, to := range map[string]*string{"MinValue": &p.Min, "MaxValue": &p.Max} {
		if bound, ok := d.str(v, key, in); ok && number.takes(bound.Text) {
			*to = bound.Text
		} else if ok {
			d.fail(bound.Pos, "the format has numbers as strings", "%s%s is %s, expected %s", in, key, hparams.Quote(bound.Text), number.want())
		}
	}
	if p.Min != "" && p.Max != "" && number.less(p.Max, p.Min) {
		d.fail(v.Pos, "", "%sMinValue %s is above MaxValue %s", in, p.Min, p.Max)
		p.Min, p.Max = "", "" // which no value is between
	}
}

// takes says whether a value is one that the hyperparameter may have.
func (p *ParamSpec) takes(text string) bool {
	switch p.Type {
	case "Categorical":
		return len(p.Values) == 0 || slices.Contains(p.Values, text)
	case "Integer":
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return false
		}
	case "Continuous":
		if f, err := strconv.ParseFloat(text, 64); err != nil || math.IsInf(f, 0) || math.IsNaN(f) || strings.Trim(text, "0123456789.eE+-") != "" {
			return false
		}
	default:
		return true
	}
	return (p.Min == "" || !p.less(text, p.Min)) && (p.Max == "" || !p.less(p.Max, text))
}

// less compares two numbers.
func (p *ParamSpec) less(a, b string) bool {
	if p.Type == "Integer" { // which a float64 may not hold
		x, _ := strconv.ParseInt(a, 10, 64)
		y, _ := strconv.ParseInt(b, 10, 64)
		return x < y
	}
	x, _ := strconv.ParseFloat(a, 64)
	y, _ := strconv.ParseFloat(b, 64)
	return x < y
}

// want says what takes takes.
func (p *ParamSpec) want() string {
	what := map[string]string{"Integer": "a whole number", "Continuous": "a number"}[p.Type]
	switch {
	case p.Type == "Categorical":
		return "one of " + quoteAll(p.Values)
	case p.Min != "" && p.Max != "":
		return what + " from " + p.Min + " to " + p.Max
	case p.Min != "":
		return what + " of at least " + p.Min
	case p.Max != "":
		return what + " of at most " + p.Max
	}
	return what
}

// shownValue is a value as a message may show it.
func shownValue(name, text string) string {
	if IsSecret(name) {
		return masked
	}
	return hparams.Quote(text)
}
