package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// DefaultSpec is the path of an algorithm's specification in an image that has one.
const DefaultSpec = "/etc/entrain/training-spec.json"

// Spec says which jobs an algorithm accepts. It holds those parts of the TrainingSpecification of
// CreateAlgorithm that a job can be checked against.
type Spec struct {
	Params        []ParamSpec
	Channels      []ChannelSpec
	InstanceTypes []string // none if every instance type is allowed
	OneHost       bool     // the algorithm cannot train on several hosts

	// anyParam and anyChannel allow names that are not listed: the specification has no such list, or its list
	// has mistakes.
	anyParam, anyChannel bool
}

// ChannelSpec is one entry of TrainingChannels. An empty list allows everything.
type ChannelSpec struct {
	Name         string
	Required     bool
	ContentTypes []string
	Modes        []string
}

// specHint is the hint for a specification without content.
const specHint = "entrain spec writes one"

// loadSpec reads the specification. It returns nil if there is none, or none that can be used.
func loadSpec(s *Snapshot, problems *[]Problem) *Spec {
	if s.SpecPath == "" {
		return nil
	}
	d := &document{file: s.SpecPath, problems: problems}
	if !d.read(s.Spec, specHint, "a readable file") {
		return nil
	}
	doc, ok := d.parseObject()
	// The file may also be a whole request of CreateAlgorithm.
	if inner, isRequest := doc.Get("TrainingSpecification"); ok && isRequest {
		doc, ok = inner, d.expectKind(inner, hparams.Object, "TrainingSpecification")
	}
	if !ok {
		return nil
	}
	return parseSpec(d, doc)
}

// specKeys lists the keys of a TrainingSpecification. A job is checked against the first four.
func specKeys() []string {
	return []string{
		"SupportedHyperParameters", "TrainingChannels",
		"SupportedTrainingInstanceTypes", "SupportsDistributedTraining",
		"TrainingImage", "TrainingImageDigest", "MetricDefinitions",
		"SupportedTuningJobObjectiveMetrics", "AdditionalS3DataSource",
	}
}

func isSpec(v hparams.Value) bool {
	return slices.ContainsFunc(specKeys(), func(key string) bool { _, exists := v.Get(key); return exists })
}

// failNoSpec reports a document without any key of a specification. The hint says where in the document the
// specification may be.
func failNoSpec(d *document, doc hparams.Value) {
	hint := ""
	for _, f := range doc.Fields {
		if isSpec(f.Value) {
			hint = "it is in " + hparams.Quote(f.Key) + ": call that TrainingSpecification, or leave it out"
		} else if hint == "" {
			hint = d.nearest(f.Key, append(specKeys(), "TrainingSpecification"))
		}
	}
	if len(doc.Fields) == 0 {
		hint = specHint
	}
	d.fail(doc.Pos, hint, "found no key of a TrainingSpecification, expected one of %s",
		strings.Join(specKeys()[:5], ", "))
}

func parseSpec(d *document, doc hparams.Value) *Spec {
	if !isSpec(doc) {
		failNoSpec(d, doc)
		return nil
	}
	d.warnUnknownKeys(doc, "", specKeys()...)
	spec := &Spec{InstanceTypes: textsOf(d.stringList(doc, "SupportedTrainingInstanceTypes", ""))}
	distributed, ok := d.optionalBool(doc, "SupportsDistributedTraining", "")
	spec.OneHost = ok && !distributed
	var whole bool
	spec.Params, whole = parseEntries(d, doc, "SupportedHyperParameters", "hyperparameter", d.parseParam)
	spec.anyParam = !whole
	spec.Channels, whole = parseEntries(d, doc, "TrainingChannels", "channel", d.parseChannel)
	spec.anyChannel = !whole
	return spec
}

// parseEntries reads a list of objects, each with a Name of its own. What says what the names are, for
// messages. Whole is false if the list is missing, or has an entry that is no object or has no Name.
func parseEntries[T any](
	d *document, doc hparams.Value, key, what string, parse func(entry hparams.Value, name string) T,
) (entries []T, whole bool) {
	list, whole := d.optionalList(doc, key, "", hparams.Object)
	seen := map[string]bool{}
	for _, v := range list {
		name, ok := d.requiredString(v, "Name", "an entry of "+key)
		if !ok {
			whole = false
			continue
		}
		entries = append(entries, parse(v, name.Text))
		if seen[name.Text] {
			d.fail(v.Pos, "", "%s %s appears more than once", what, hparams.Quote(name.Text))
		}
		seen[name.Text] = true
	}
	return entries, whole
}

func (d *document) parseChannel(v hparams.Value, name string) ChannelSpec {
	prefix := "channel " + hparams.Quote(name) + ": "
	d.warnUnknownKeys(v, prefix, "Name", "Description", "IsRequired",
		"SupportedContentTypes", "SupportedCompressionTypes", "SupportedInputModes")
	c := ChannelSpec{Name: name, ContentTypes: textsOf(d.stringList(v, "SupportedContentTypes", prefix))}
	c.Required, _ = d.optionalBool(v, "IsRequired", prefix)
	for _, mode := range d.stringList(v, "SupportedInputModes", prefix) {
		c.Modes = append(c.Modes, d.matchWord(mode, prefix+"an input mode", d.fail, modes()...))
	}
	// The platform does not tell a container how a channel is compressed, so only the words are checked.
	for _, compression := range d.stringList(v, "SupportedCompressionTypes", prefix) {
		d.matchWord(compression, prefix+"a compression type", d.fail, "None", "Gzip")
	}
	return c
}

// warnUnknownKeys warns of keys that no rule reads. Usually such a key is misspelt.
func (d *document) warnUnknownKeys(v hparams.Value, prefix string, keys ...string) {
	for _, f := range v.Fields {
		if !slices.Contains(keys, f.Key) {
			d.warn(f.Pos, d.nearest(f.Key, keys), "%skey %s is not one of a TrainingSpecification",
				prefix, hparams.Quote(f.Key))
		}
	}
}

// requiredString returns a member of an object, and whether it is a string and not empty. Otherwise it adds
// an error.
func (d *document) requiredString(v hparams.Value, key, what string) (hparams.Value, bool) {
	if _, exists := v.Get(key); !exists {
		d.fail(v.Pos, "", "%s has no %s", what, key)
		return hparams.Value{}, false
	}
	got, ok := d.optionalString(v, key, what+": ")
	if ok && got.Text == "" {
		d.fail(got.Pos, "", "%s: %s is empty", what, key)
	}
	return got, ok && got.Text != ""
}

// stringList returns the strings in an optional list. Anything else in it is an error.
func (d *document) stringList(v hparams.Value, key, prefix string) []hparams.Value {
	items, _ := d.optionalList(v, key, prefix, hparams.String)
	return items
}

// optionalList returns the items of one kind in an optional list. Any other item is an error. Whole is
// false if the list is missing, or has an item of another kind.
func (d *document) optionalList(
	v hparams.Value, key, prefix string, kind hparams.Kind,
) (items []hparams.Value, whole bool) {
	list, ok := optionalMember(v, key)
	if !ok || !d.expectKind(list, hparams.List, prefix+key) {
		return nil, false
	}
	for _, item := range list.Items {
		if d.expectKind(item, kind, prefix+"an entry of "+key) {
			items = append(items, item)
		}
	}
	return items, len(items) == len(list.Items)
}

// optionalBool returns a member of an object, and whether it is a boolean. A member of another type is an
// error, unless it is null.
func (d *document) optionalBool(v hparams.Value, key, prefix string) (value, ok bool) {
	got, ok := optionalMember(v, key)
	if !ok || !d.expectKind(got, hparams.Bool, prefix+key) {
		return false, false
	}
	return got.Text == "true", true
}

func textsOf(values []hparams.Value) []string {
	var out []string
	for _, v := range values {
		out = append(out, v.Text)
	}
	return out
}

// isAllowed tells whether a word is in a list, in any capitals. An empty list allows every word.
func isAllowed(word string, allowed []string) bool {
	isWord := func(other string) bool { return strings.EqualFold(word, other) }
	return len(allowed) == 0 || slices.ContainsFunc(allowed, isWord)
}
