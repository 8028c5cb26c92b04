package contract

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"entrain/hparams"
)

// Load turns a Snapshot into a Job, and lists every problem of the contract. The Job is nil if one of the
// problems is an error.
func Load(s *Snapshot) (*Job, []Problem) {
	var problems []Problem
	if nothing := missingContract(s); nothing != nil {
		return nil, nothing
	}
	job := newJob(s)
	var specProblems []Problem
	spec := loadSpec(s, &specProblems)
	for _, part := range []struct {
		file        string
		load, check func(*document, hparams.Value, *Job)
	}{
		{HyperparametersFile, loadParams, spec.checkParams},
		{InputDataFile, loadChannels, spec.checkChannels},
		{ResourceFile, loadResource, spec.checkResource},
	} {
		var found []Problem
		if d, doc, ok := openConfig(s, part.file, &found); ok && !d.failSwapped(doc) {
			part.load(d, doc, job)
			part.check(d, doc, job)
		}
		problems = append(problems, inOrder(found)...)
	}
	problems = append(problems, inOrder(specProblems)...)
	if job.named && !isJobName(job.Name) {
		problems = append(problems, Problem{
			File: "TRAINING_JOB_NAME", Warning: true,
			Message: hparams.Quote(job.Name) +
				" is no training job's name, expected 1 to 63 letters, digits and inner hyphens",
		})
	}
	if len(Errors(problems)) > 0 {
		return nil, problems
	}
	job.decideDistribution()
	return job, problems
}

// newJob returns a Job with everything that the snapshot says outside of the configuration files.
func newJob(s *Snapshot) *Job {
	job := &Job{Root: s.Root, Machine: s.Machine, places: map[string]int{}}
	job.Name, job.named = s.Getenv("TRAINING_JOB_NAME")
	job.ARN, _ = s.Getenv("TRAINING_JOB_ARN")
	return job
}

// inOrder sorts the problems of a file by place.
func inOrder(found []Problem) []Problem {
	slices.SortStableFunc(found, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return found
}

// Identify returns a Job that knows only the hosts of the cluster. A host with an invalid contract needs it
// to tell the other hosts why it cannot train. It is nil if resourceconfig.json is invalid too.
func Identify(s *Snapshot) *Job {
	var problems, ignored []Problem
	job := newJob(s)
	if d, doc, ok := openConfig(s, HyperparametersFile, &ignored); ok {
		loadParams(d, doc, job) // hyperparameters name the groups that train together
	}
	if d, doc, ok := openConfig(s, ResourceFile, &problems); ok {
		loadResource(d, doc, job)
	}
	if len(Errors(problems)) > 0 {
		return nil
	}
	job.decideDistribution()
	return job
}

// openConfig reads one configuration file as a JSON object. The document null counts as an empty object.
func openConfig(s *Snapshot, name string, problems *[]Problem) (*document, hparams.Value, bool) {
	file, exists := s.Files[name]
	if !exists {
		file.Problem = isMissing
	}
	d := &document{file: name, problems: problems}
	if !d.read(file, hintForMissingFile(s, name), "a readable file in "+s.Root+"/input/config") {
		return d, hparams.Value{}, false
	}
	doc, ok := d.parseObject()
	return d, doc, ok
}

func (d *document) parseObject() (hparams.Value, bool) {
	if strings.TrimSpace(d.text) == "" {
		hint := specHint
		switch d.file {
		case HyperparametersFile, InputDataFile:
			hint = "write {} for none"
		case ResourceFile:
			hint = `e.g. {"current_host":"algo-1","hosts":["algo-1"]}`
		}
		d.fail(nowhere, hint, "is empty, expected a JSON object")
		return hparams.Value{}, false
	}
	if what, hint := otherEncoding(d.text); what != "" {
		d.fail(0, hint, "%s", what)
		return hparams.Value{}, false
	}
	if i := invalidUTF8(d.text); i >= 0 {
		d.fail(i, "save the file as UTF-8", "byte 0x%02x is not valid UTF-8", d.text[i])
		return hparams.Value{}, false
	}
	doc, duplicates, err := hparams.Parse(d.text)
	if syntax, ok := err.(*hparams.SyntaxError); ok { //nolint:errorlint // Parse returns no other error
		d.fail(syntax.Pos, "", "%s", syntax.Msg)
		return hparams.Value{}, false
	}
	for _, dup := range duplicates {
		d.reportDuplicate(dup)
	}
	if doc.Kind == hparams.Null {
		doc = hparams.Value{Kind: hparams.Object}
	}
	return doc, d.expectKind(doc, hparams.Object, "the document")
}

// reportDuplicate warns of a key that occurs twice: a job can run, since Python takes the last value. For the
// keys that say who is in the cluster it is an error.
func (d *document) reportDuplicate(dup hparams.Duplicate) {
	const hint = "remove one of them"
	if d.file == ResourceFile && dup.Top && (dup.Key == "current_host" || dup.Key == "hosts") {
		d.fail(dup.Pos, hint, "duplicate key %s", hparams.Quote(dup.Key))
		return
	}
	d.warn(dup.Pos, hint, "duplicate key %s, the last one counts", hparams.Quote(dup.Key))
}

// The platform's limits on hyperparameters (CreateTrainingJob), in characters. The limit of a value was 256
// earlier and may grow again. So a longer value is a warning and no error.
const (
	maxParams     = 100
	maxParamName  = 256
	maxParamValue = 2500
)

func loadParams(d *document, doc hparams.Value, job *Job) {
	job.Params = hparams.FromObject(doc)
	if n := len(job.Params); n > maxParams {
		d.warn(job.Params[maxParams].Pos, "put the rest into a file of a channel, or several into one JSON value",
			"%d hyperparameters, the platform takes at most %d", n, maxParams)
	}
	for _, p := range job.Params {
		if n := utf8.RuneCountInString(p.Name); n > maxParamName {
			d.warn(p.Pos, "", "hyperparameter name %s has %d characters, the platform takes at most %d",
				hparams.Quote(p.Name), n, maxParamName)
		}
		if p.Name == "" {
			d.warn(p.Pos, "", `hyperparameter name "" is empty`)
		}
		name := "hyperparameter " + hparams.Quote(p.Name)
		if p.Raw.Kind != hparams.String {
			d.warn(p.Raw.Pos, "on the platform every value is a string",
				"%s is %s, expected a string", name, p.Raw.Kind)
		} else if n := utf8.RuneCountInString(p.Raw.Text); n > maxParamValue {
			d.warn(p.Raw.Pos, "", "%s has a value of %d characters, the platform takes at most %d",
				name, n, maxParamValue)
		}
	}
}

// isJobName tells whether s matches the API's pattern [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}.
func isJobName(s string) bool {
	return hparams.IsWord(s, "-") && strings.Trim(s, "-") == s && len(strings.ReplaceAll(s, "-", "")) <= 63
}

// quoteAll writes a list for a message. Of a list with more than 32 items it shows the first 32.
func quoteAll(items []string) string { return quoteFirst(items, 32) }

// quoteFirst writes a list for a message. Of a list with more than most items it shows the first of them.
func quoteFirst(items []string, most int) string {
	var quoted []string
	for _, s := range items[:min(len(items), most)] {
		quoted = append(quoted, hparams.Quote(s))
	}
	if len(items) > most {
		quoted = append(quoted, fmt.Sprintf("… %d in all", len(items)))
	}
	return fmt.Sprintf("[%s]", strings.Join(quoted, ","))
}
