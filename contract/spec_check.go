package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// checkParams holds the trainer's hyperparameters against the specification, and adds those that have a default.
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
			if text := specText(given.Value); !s.Params[i].takes(text) {
				d.fail(given.Raw.Pos, Nearest(text, s.Params[i].Values), "hyperparameter %s is %s, expected %s",
					hparams.Quote(given.Name), shownValue(given.Name, text), s.Params[i].want())
			}
		case !s.anyParam && given.Name != "" && !strings.HasPrefix(given.Name, "_"): // which the platform's own begin with
			d.stranger(given.Pos, "hyperparameter", given.Name, names)
		}
	}
	for _, p := range s.Params {
		if _, given := job.Params.Get(p.Name); given {
			continue
		}
		if p.HasDefault {
			value := hparams.Str(p.Default)
			value.Pos = nowhere
			job.Params = append(job.Params, hparams.Param{Name: p.Name, Pos: nowhere, Raw: value, Value: hparams.Decode(value)})
		} else if p.Required {
			d.fail(doc.Pos, "", "hyperparameter %s is missing, the algorithm requires it", hparams.Quote(p.Name))
		}
	}
}

// stranger is a name that is not one of the algorithm's.
func (d *document) stranger(pos int, what, name string, names []string) {
	if len(names) == 0 {
		d.fail(pos, "", "%s %s is not one of the algorithm's: the algorithm takes none", what, hparams.Quote(name))
		return
	}
	d.fail(pos, Nearest(name, names), "%s %s is not one of the algorithm's: %s", what, hparams.Quote(name), quoteAll(names))
}

// specText is the value that a specification speaks of: a scalar's own text, of anything else its JSON.
func specText(v hparams.Value) string {
	switch v.Kind {
	case hparams.Null, hparams.List, hparams.Object:
		return hparams.JSON(v, hparams.PlainJSON())
	default:
		return v.Text
	}
}

// checkChannels holds the job's channels against the specification, but for those in which the SDK brings its code.
func (s *Spec) checkChannels(d *document, doc hparams.Value, job *Job) {
	if s == nil {
		return
	}
	var names []string
	for _, c := range s.Channels {
		names = append(names, c.Name)
		if _, there := job.Channel(c.Name); c.Required && !there {
			d.fail(doc.Pos, "", "channel %s is missing, the algorithm requires it", hparams.Quote(c.Name))
		}
	}
	for _, c := range job.Channels {
		if i := slices.Index(names, c.Name); i >= 0 {
			s.Channels[i].check(d, c)
		} else if !s.anyChannel && c.Name != "code" && c.Name != "sm_drivers" {
			d.stranger(c.Pos, "channel", c.Name, names)
		}
	}
}

func (s *ChannelSpec) check(d *document, c Channel) {
	if !among(string(c.Mode), s.Modes) {
		d.fail(c.Pos, "", "channel %s is in %s mode, the algorithm takes %s", hparams.Quote(c.Name), c.Mode, quoteAll(s.Modes))
	}
	media, _, _ := strings.Cut(c.ContentType, ";")
	if media != "" && !among(c.ContentType, s.ContentTypes) && !among(strings.TrimSpace(media), s.ContentTypes) {
		d.fail(c.Pos, Nearest(c.ContentType, s.ContentTypes), "channel %s has ContentType %s, the algorithm takes %s",
			hparams.Quote(c.Name), hparams.Quote(c.ContentType), quoteAll(s.ContentTypes))
	}
}

// checkResource holds the cluster against the specification. A laptop's instance type, local, is any.
func (s *Spec) checkResource(d *document, doc hparams.Value, job *Job) {
	if s == nil {
		return
	}
	v, _ := doc.Get("current_instance_type")
	if local := strings.HasPrefix(v.Text, "local"); v.Text != "" && !local && !among(v.Text, s.InstanceTypes) {
		d.fail(v.Pos, Nearest(v.Text, s.InstanceTypes), "current_instance_type %s, the algorithm takes %s", hparams.Quote(v.Text), quoteAll(s.InstanceTypes))
	}
	if hosts, _ := doc.Get("hosts"); s.OneHost && len(job.Hosts) > 1 {
		d.fail(hosts.Pos, "", "%d hosts, the algorithm trains on one: SupportsDistributedTraining is false", len(job.Hosts))
	}
}
