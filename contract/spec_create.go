package contract

import (
	"entrain/hparams"
)

// The platform's limits on an algorithm: the shape TrainingSpecification in the API's model.
const (
	maxSpecParams   = 100
	maxSpecChannels = 8
	maxSpecValues   = 30 // of a Categorical
	maxSpecMetrics  = 40
)

// CheckAlgorithm warns of what CreateAlgorithm would refuse in the specification. Jobs can be checked against
// it all the same. It returns nothing without a specification, and for one that Load cannot read.
func CheckAlgorithm(s *Snapshot) []Problem {
	var problems, ignored []Problem
	if s.SpecPath == "" {
		return nil
	}
	d := &document{file: s.SpecPath, problems: &ignored}
	if !d.read(s.Spec, "", "") {
		return nil
	}
	doc, ok := d.parseObject()
	if inner, isRequest := doc.Get("TrainingSpecification"); ok && isRequest {
		doc = inner
	}
	if !ok || !isSpec(doc) {
		return nil
	}
	d.problems = &problems
	if v, _ := optionalMember(doc, "TrainingImage"); v.Kind != hparams.Null && v.Kind != hparams.String {
		d.warnOfRefusal(v.Pos, "TrainingImage is %s, expected a string", describe(v))
	} else if v.Text == "" {
		d.warnOfRefusal(doc.Pos, "TrainingImage is missing")
	}
	if _, has := doc.Get("SupportedTrainingInstanceTypes"); !has {
		d.warnOfRefusal(doc.Pos, "SupportedTrainingInstanceTypes is missing")
	}
	if v, _ := doc.Get("MetricDefinitions"); len(v.Items) > maxSpecMetrics {
		d.warnOfRefusal(v.Pos, "%d metric definitions, expected at most %d", len(v.Items), maxSpecMetrics)
	}
	d.checkSpecParams(doc)
	d.checkSpecChannels(doc)
	return inOrder(problems)
}

// warnOfRefusal warns of something that CreateAlgorithm would refuse.
func (d *document) warnOfRefusal(pos int, format string, args ...any) {
	d.warn(pos, "", format+": CreateAlgorithm would refuse it", args...)
}

func (d *document) checkSpecParams(doc hparams.Value) {
	params, _ := doc.Get("SupportedHyperParameters")
	if n := len(params.Items); n > maxSpecParams {
		d.warnOfRefusal(params.Pos, "%d hyperparameters, expected at most %d", n, maxSpecParams)
	}
	for _, v := range params.Items {
		name, _ := v.Get("Name")
		what := "hyperparameter " + hparams.Quote(name.Text)
		required, _ := v.Get("IsRequired")
		if value, has := optionalMember(v, "DefaultValue"); has && required.Truthy() {
			d.warnOfRefusal(value.Pos, "%s is required and has a DefaultValue", what)
		}
		limits, _ := v.Get("Range")
		for _, f := range limits.Fields {
			d.checkSpecRange(f, what)
		}
	}
}

// checkSpecRange checks one member of a Range.
func (d *document) checkSpecRange(f hparams.Field, what string) {
	switch f.Key {
	case rangeKey("Integer"), rangeKey("Continuous"):
		for _, bound := range []string{"MinValue", "MaxValue"} {
			if _, has := f.Value.Get(bound); !has {
				d.warnOfRefusal(f.Pos, "%s: its Range has no %s", what, bound)
			}
		}
	case rangeKey("Categorical"):
		if v, _ := f.Value.Get("Values"); len(v.Items) == 0 || len(v.Items) > maxSpecValues {
			d.warnOfRefusal(f.Pos, "%s: its Range has %d Values, expected 1 to %d", what, len(v.Items), maxSpecValues)
		}
	default:
		d.warnOfRefusal(f.Pos, "%s: its Range has %s", what, hparams.Quote(f.Key))
	}
}

func (d *document) checkSpecChannels(doc hparams.Value) {
	channels, has := doc.Get("TrainingChannels")
	switch n := len(channels.Items); {
	case n > maxSpecChannels:
		d.warnOfRefusal(channels.Pos, "%d channels, expected at most %d", n, maxSpecChannels)
	case n == 0 && has:
		d.warnOfRefusal(channels.Pos, "TrainingChannels names no channel")
	case n == 0:
		d.warnOfRefusal(doc.Pos, "TrainingChannels is missing")
	}
	for _, v := range channels.Items {
		name, _ := v.Get("Name")
		what := "channel " + hparams.Quote(name.Text)
		if _, has := v.Get("SupportedContentTypes"); !has {
			d.warnOfRefusal(v.Pos, "%s: SupportedContentTypes is missing", what)
		}
		if modes, _ := v.Get("SupportedInputModes"); len(modes.Items) == 0 {
			d.warnOfRefusal(v.Pos, "%s: SupportedInputModes names no mode", what)
		}
	}
}
