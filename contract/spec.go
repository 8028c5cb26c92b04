package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// DefaultSpec is where an image may have its algorithm's specification.
const DefaultSpec = "/etc/entrain/training-spec.json"

// Spec is what an algorithm says that it takes: the TrainingSpecification of CreateAlgorithm, as far as it says anything
// of a job.
type Spec struct {
	Params        []ParamSpec
	Channels      []ChannelSpec
	InstanceTypes []string // none for any
	OneHost       bool     // it does not train on several

	anyParam, anyChannel bool // it does not say which there are, or not so that we could read it
}

// ChannelSpec is one entry of TrainingChannels. Of the lists an empty one allows everything.
type ChannelSpec struct {
	Name         string
	Required     bool
	ContentTypes []string
	Modes        []string
}

// loadSpec reads the specification, if there is one.
func loadSpec(s *Snapshot, problems *[]Problem) *Spec {
	if s.SpecPath == "" {
		return nil
	}
	d := &document{file: s.SpecPath, text: string(s.Spec.Data), problems: problems}
	switch {
	case s.Spec.Problem != "":
		d.fail(nowhere, "entrain spec writes one", "%s, expected a readable file", s.Spec.Problem)
		return nil
	case len(s.Spec.Data) > MaxFileSize:
		d.fail(nowhere, "", "is larger than %d bytes", MaxFileSize)
		return nil
	}
	doc, ok := d.parse()
	if inner, whole := doc.Get("TrainingSpecification"); ok && whole { // a request of CreateAlgorithm
		doc, ok = inner, d.kind(inner, hparams.Object, "TrainingSpecification")
	}
	if !ok {
		return nil
	}
	return parseSpec(d, doc)
}

// specKeys are those of a TrainingSpecification.
func specKeys() []string {
	return []string{
		"SupportedHyperParameters", "TrainingChannels", "SupportedTrainingInstanceTypes", "SupportsDistributedTraining",
		"TrainingImage", "TrainingImageDigest", "MetricDefinitions", "SupportedTuningJobObjectiveMetrics", "AdditionalS3DataSource",
	}
}

func isSpec(v hparams.Value) bool {
	return slices.ContainsFunc(specKeys(), func(key string) bool { _, there := v.Get(key); return there })
}

// noSpec refuses a document that would check nothing, and says where the specification may be in it.
func noSpec(d *document, doc hparams.Value) {
	hint := ""
	for _, f := range doc.Fields {
		if isSpec(f.Value) {
			hint = "it is in " + hparams.Quote(f.Key) + ": call that TrainingSpecification, or leave it out"
		} else if hint == "" {
			hint = Nearest(f.Key, append(specKeys(), "TrainingSpecification"))
		}
	}
	d.fail(doc.Pos, hint, "found no key of a TrainingSpecification, expected one of %s", strings.Join(specKeys()[:4], ", "))
}

func parseSpec(d *document, doc hparams.Value) *Spec {
	if !isSpec(doc) {
		noSpec(d, doc)
		return nil
	}
	d.known(doc, "", specKeys()...)
	spec := &Spec{InstanceTypes: texts(d.strings(doc, "SupportedTrainingInstanceTypes", ""))}
	distributed, said := d.truth(doc, "SupportsDistributedTraining", "")
	spec.OneHost = said && !distributed
	spec.parseParams(d, doc)
	spec.parseChannels(d, doc)
	return spec
}

func (s *Spec) parseParams(d *document, doc hparams.Value) {
	list, whole := d.list(doc, "SupportedHyperParameters", "", hparams.Object)
	s.anyParam = !whole
	for _, v := range list {
		p, ok := parseParam(d, v)
		s.anyParam = s.anyParam || !ok
		if ok && slices.ContainsFunc(s.Params, func(other ParamSpec) bool { return other.Name == p.Name }) {
			d.fail(v.Pos, "", "hyperparameter %s appears more than once", hparams.Quote(p.Name))
		}
		if ok {
			s.Params = append(s.Params, p)
		}
	}
}

func (s *Spec) parseChannels(d *document, doc hparams.Value) {
	list, whole := d.list(doc, "TrainingChannels", "", hparams.Object)
	s.anyChannel = !whole
	for _, v := range list {
		c, ok := parseChannel(d, v)
		s.anyChannel = s.anyChannel || !ok
		if ok && slices.ContainsFunc(s.Channels, func(other ChannelSpec) bool { return other.Name == c.Name }) {
			d.fail(v.Pos, "", "channel %s appears more than once", hparams.Quote(c.Name))
		}
		if ok {
			s.Channels = append(s.Channels, c)
		}
	}
}

func parseChannel(d *document, v hparams.Value) (ChannelSpec, bool) {
	name, ok := d.required(v, "Name", "an entry of TrainingChannels")
	if !ok {
		return ChannelSpec{}, false
	}
	in := "channel " + hparams.Quote(name.Text) + ": "
	d.known(v, in, "Name", "Description", "IsRequired", "SupportedContentTypes", "SupportedCompressionTypes", "SupportedInputModes")
	c := ChannelSpec{Name: name.Text, ContentTypes: texts(d.strings(v, "SupportedContentTypes", in))}
	c.Required, _ = d.truth(v, "IsRequired", in)
	for _, mode := range d.strings(v, "SupportedInputModes", in) {
		c.Modes = append(c.Modes, d.oneOf(mode, in+"an input mode", d.fail, string(ModeFile), string(ModeFastFile), string(ModePipe)))
	}
	for _, compression := range d.strings(v, "SupportedCompressionTypes", in) { // which a container is not told
		d.oneOf(compression, in+"a compression type", d.fail, "None", "Gzip")
	}
	return c, true
}

// known warns of keys that nobody reads, which are mostly misspelt.
func (d *document) known(v hparams.Value, in string, keys ...string) {
	for _, f := range v.Fields {
		if !slices.Contains(keys, f.Key) {
			d.warn(f.Pos, Nearest(f.Key, keys), "%skey %s is not one of a TrainingSpecification", in, hparams.Quote(f.Key))
		}
	}
}

// required is a string member that must be there and not be empty.
func (d *document) required(v hparams.Value, key, in string) (hparams.Value, bool) {
	if _, there := v.Get(key); !there {
		d.fail(v.Pos, "", "%s has no %s", in, key)
		return hparams.Value{}, false
	}
	got, ok := d.str(v, key, in+": ")
	if ok && got.Text == "" {
		d.fail(got.Pos, "", "%s: %s is empty", in, key)
	}
	return got, ok && got.Text != ""
}

// strings is an optional list of strings; what is none is a problem.
func (d *document) strings(v hparams.Value, key, in string) []hparams.Value {
	items, _ := d.list(v, key, in, hparams.String)
	return items
}

// list is an optional list of one kind, and whether it is there and has all that it says.
func (d *document) list(v hparams.Value, key, in string, kind hparams.Kind) (items []hparams.Value, whole bool) {
	list, ok := optional(v, key)
	if !ok || !d.kind(list, hparams.List, in+key) {
		return nil, false
	}
	for _, item := range list.Items {
		if d.kind(item, kind, in+"an entry of "+key) {
			items = append(items, item)
		}
	}
	return items, len(items) == len(list.Items)
}

// truth is an optional boolean, and whether it is there.
func (d *document) truth(v hparams.Value, key, in string) (value, said bool) {
	got, ok := optional(v, key)
	if !ok || !d.kind(got, hparams.Bool, in+key) {
		return false, false
	}
	return got.Text == "true", true
}

func texts(values []hparams.Value) []string {
	var out []string
	for _, v := range values {
		out = append(out, v.Text)
	}
	return out
}

// among says that a word is one of those, or that there are none to choose from.
func among(word string, allowed []string) bool {
	return len(allowed) == 0 || slices.ContainsFunc(allowed, func(other string) bool { return strings.EqualFold(word, other) })
}
