package contract

import (
	"cmp"
	"slices"
	"strings"

	"entrain/hparams"
)

// checkParams checks the trainer's hyperparameters against the specification. It adds a hyperparameter for
// each default that the job does not override.
func (s *Spec) checkParams(d *document, doc hparams.Value, job *Job) {
	if s == nil {
		return
	}
	names, places := make([]string, len(s.Params)), make(map[string]int, len(s.Params))
	for i, p := range slices.Backward(s.Params) { // of equal names the first counts
		names[i], places[p.Name] = p.Name, i
	}
	for _, given := range job.Params.User() {
		i, known := places[given.Name]
		switch {
		case known:
			if text := specText(given.Value); !s.Params[i].accepts(text) {
				d.fail(given.Raw.Pos, d.nearest(text, s.Params[i].Values), "hyperparameter %s is %s, expected %s",
					hparams.Quote(given.Name), valueForMessage(given.Name, text), s.Params[i].describe())
			}
		case !s.anyParam && canBeSpecified(given.Name):
			d.failUnknownName(given.Pos, "hyperparameter", given.Name, names)
		}
	}
	s.addDefaults(d, doc, job)
}

// addDefaults adds a hyperparameter for each default that the job does not override, and reports those that
// the job lacks.
func (s *Spec) addDefaults(d *document, doc hparams.Value, job *Job) {
	given := make(map[string]bool, len(job.Params))
	for _, p := range job.Params {
		given[p.Name] = true
	}
	for _, p := range s.Params {
		if given[p.Name] {
			continue
		}
		given[p.Name] = true
		if p.HasDefault {
			value := hparams.Str(p.Default)
			value.Pos = nowhere
			param := hparams.Param{Name: p.Name, Pos: nowhere, Raw: value, Value: hparams.Decode(value)}
			job.Params = append(job.Params, param)
		} else if p.Required {
			d.fail(doc.Pos, "", "hyperparameter %s is missing, the algorithm requires it", hparams.Quote(p.Name))
		}
	}
}

// canBeSpecified tells whether a specification can list a hyperparameter. A name such as _kfold is the
// platform's own.
func canBeSpecified(name string) bool { return name != "" && !strings.HasPrefix(name, "_") }

// failUnknownName adds an error for a name that the algorithm does not know.
func (d *document) failUnknownName(pos int, what, name string, names []string) {
	if len(names) == 0 {
		d.fail(pos, "", "%s %s is not one of the algorithm's: the algorithm takes none", what, hparams.Quote(name))
		return
	}
	// A list of many names would push other problems out of the failure file.
	const most = 10
	if len(names) <= most {
		d.fail(pos, d.nearest(name, names), "%s %s is not one of the algorithm's: %s",
			what, hparams.Quote(name), quoteAll(names))
		return
	}
	d.fail(pos, cmp.Or(d.nearest(name, names), "the specification lists them"),
		"%s %s is not one of the algorithm's %d", what, hparams.Quote(name), len(names))
}

// specText writes a value as a specification does: a list, an object or null as JSON, any other value by
// its own text.
func specText(v hparams.Value) string {
	switch v.Kind {
	case hparams.Null, hparams.List, hparams.Object:
		return hparams.JSON(v, hparams.PlainJSON())
	default:
		return v.Text
	}
}

// holdsCode tells whether a channel brings the SDK's code, and not data.
func holdsCode(c Channel) bool { return c.Name == codeChannel || c.Name == "sm_drivers" }

// checkChannels checks the job's channels against the specification. It leaves out the channels that hold the
// SDK's code.
func (s *Spec) checkChannels(d *document, doc hparams.Value, job *Job) {
	if s == nil {
		return
	}
	names, places := make([]string, len(s.Channels)), make(map[string]int, len(s.Channels))
	for i, c := range slices.Backward(s.Channels) { // of equal names the first counts
		names[i], places[c.Name] = c.Name, i
	}
	for _, c := range s.Channels {
		if _, exists := job.Channel(c.Name); c.Required && !exists {
			d.fail(doc.Pos, "", "channel %s is missing, the algorithm requires it", hparams.Quote(c.Name))
		}
	}
	for _, c := range job.Channels {
		if i, known := places[c.Name]; known {
			s.Channels[i].check(d, c)
		} else if !s.anyChannel && !holdsCode(c) {
			d.failUnknownName(c.Pos, "channel", c.Name, names)
		}
	}
}

func (s *ChannelSpec) check(d *document, c Channel) {
	// A trainer reads FastFile as it reads File, and most specifications know only File and Pipe.
	asFile := c.Mode == ModeFastFile && isAllowed(string(ModeFile), s.Modes)
	if !asFile && !isAllowed(string(c.Mode), s.Modes) {
		d.fail(c.Pos, "", "channel %s is in %s mode, the algorithm takes %s",
			hparams.Quote(c.Name), c.Mode, quoteAll(s.Modes))
	}
	// The part before the semicolon is enough: text/csv allows text/csv; charset=utf-8.
	media, _, _ := strings.Cut(c.ContentType, ";")
	known := isAllowed(c.ContentType, s.ContentTypes) || isAllowed(strings.TrimSpace(media), s.ContentTypes)
	if media != "" && !known {
		d.fail(c.Pos, d.nearest(c.ContentType, s.ContentTypes),
			"channel %s has ContentType %s, the algorithm takes %s",
			hparams.Quote(c.Name), hparams.Quote(c.ContentType), quoteAll(s.ContentTypes))
	}
}

// isPlatformType tells whether an instance type is one of the platform's. The SDK's local mode has the types
// local and local_gpu, and every algorithm allows them.
func isPlatformType(typ string) bool { return typ != "" && !strings.HasPrefix(typ, "local") }

// checkResource checks the cluster against the specification.
func (s *Spec) checkResource(d *document, doc hparams.Value, job *Job) {
	if s == nil {
		return
	}
	v, _ := doc.Get("current_instance_type")
	if isPlatformType(v.Text) && !isAllowed(v.Text, s.InstanceTypes) {
		d.fail(v.Pos, d.nearest(v.Text, s.InstanceTypes), "current_instance_type %s, the algorithm takes %s",
			hparams.Quote(v.Text), quoteAll(s.InstanceTypes))
	}
	if hosts, _ := doc.Get("hosts"); s.OneHost && len(job.Hosts) > 1 {
		d.fail(hosts.Pos, "", "%d hosts, the algorithm trains on one: SupportsDistributedTraining is false",
			len(job.Hosts))
	}
}
