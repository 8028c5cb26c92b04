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
	var names []string
	for _, p := range s.Params {
		names = append(names, p.Name)
	}
	for _, given := range job.Params.User() {
		i := slices.Index(names, given.Name)
		switch {
		case i >= 0:
			if text := specText(given.Value); !s.Params[i].accepts(text) {
				d.fail(given.Raw.Pos, Nearest(text, s.Params[i].Values), "hyperparameter %s is %s, expected %s",
					hparams.Quote(given.Name), valueForMessage(given.Name, text), s.Params[i].describe())
			}
		case !s.anyParam && canBeSpecified(given.Name):
			d.failUnknownName(given.Pos, "hyperparameter", given.Name, names)
		}
	}
	for _, p := range s.Params {
		if _, given := job.Params.Get(p.Name); given {
			continue
		}
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
		d.fail(pos, Nearest(name, names), "%s %s is not one of the algorithm's: %s",
			what, hparams.Quote(name), quoteAll(names))
		return
	}
	d.fail(pos, cmp.Or(Nearest(name, names), "the specification lists them"),
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
	var names []string
	for _, c := range s.Channels {
		names = append(names, c.Name)
		if _, exists := job.Channel(c.Name); c.Required && !exists {
			d.fail(doc.Pos, "", "channel %s is missing, the algorithm requires it", hparams.Quote(c.Name))
		}
	}
	for _, c := range job.Channels {
		if i := slices.Index(names, c.Name); i >= 0 {
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
		d.fail(c.Pos, Nearest(c.ContentType, s.ContentTypes),
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
		d.fail(v.Pos, Nearest(v.Text, s.InstanceTypes), "current_instance_type %s, the algorithm takes %s",
			hparams.Quote(v.Text), quoteAll(s.InstanceTypes))
	}
	if hosts, _ := doc.Get("hosts"); s.OneHost && len(job.Hosts) > 1 {
		d.fail(hosts.Pos, "", "%d hosts, the algorithm trains on one: SupportsDistributedTraining is false",
			len(job.Hosts))
	}
}
