package contract

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"entrain/hparams"
)

// Load turns a Snapshot into a Job and lists everything that is wrong with it. There is a Job unless one of the
// problems is no warning.
func Load(s *Snapshot) (*Job, []Problem) {
	var problems []Problem
	if nothing := noContract(s); nothing != nil {
		return nil, nothing
	}
	job := &Job{Root: s.Root, Machine: s.Machine}
	job.Name, job.named = s.Getenv("TRAINING_JOB_NAME")
	job.ARN, _ = s.Getenv("TRAINING_JOB_ARN")

	var ofSpec []Problem
	spec := loadSpec(s, &ofSpec)
	for _, part := range []struct {
		file        string
		load, check func(*document, hparams.Value, *Job)
	}{
		{HyperparametersFile, loadParams, spec.checkParams},
		{InputDataFile, loadChannels, spec.checkChannels},
		{ResourceFile, loadResource, spec.checkResource},
	} {
		var found []Problem
		if d, doc, ok := open(s, part.file, &found); ok {
			part.load(d, doc, job)
			part.check(d, doc, job)
		}
		problems = append(problems, inOrder(found)...)
	}
	problems = append(problems, inOrder(ofSpec)...)
	if job.named && !isJobName(job.Name) {
		problems = append(problems, Problem{
			File: "TRAINING_JOB_NAME", Warning: true,
			Message: hparams.Quote(job.Name) + " is no training job's name, expected 1 to 63 letters, digits and inner hyphens",
		})
	}
	if len(Errors(problems)) > 0 {
		return nil, problems
	}
	job.decideDistribution()
	return job, problems
}

// inOrder sorts the problems of a file by place.
func inOrder(found []Problem) []Problem {
	slices.SortStableFunc(found, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return found
}

// Identify gives as much of a Job as says who is in the cluster: of a contract that may be invalid otherwise, so that
// its host can tell the others. It is nil where resourceconfig.json cannot say that.
func Identify(s *Snapshot) *Job {
	var problems, ignored []Problem
	job := &Job{Root: s.Root, Machine: s.Machine}
	job.Name, _ = s.Getenv("TRAINING_JOB_NAME")
	job.ARN, _ = s.Getenv("TRAINING_JOB_ARN")
	if d, doc, ok := open(s, HyperparametersFile, &ignored); ok {
		loadParams(d, doc, job) // that name the groups which train together
	}
	if d, doc, ok := open(s, ResourceFile, &problems); ok {
		loadResource(d, doc, job)
	}
	if len(Errors(problems)) > 0 {
		return nil
	}
	job.decideDistribution()
	return job
}

// open reads one configuration file as a JSON object; null counts as an empty one.
func open(s *Snapshot, name string, problems *[]Problem) (*document, hparams.Value, bool) {
	file, there := s.Files[name]
	d := &document{file: name, problems: problems}
	if !there {
		file.Problem = isMissing
	}
	switch {
	case file.Problem != "":
		d.fail(nowhere, whyNoFile(s, name), "%s, expected a readable file in %s/input/config", file.Problem, s.Root)
		return d, hparams.Value{}, false
	case len(file.Data) > MaxFileSize:
		d.fail(nowhere, "", "is larger than %d bytes", MaxFileSize)
		return d, hparams.Value{}, false
	}
	d.text = string(file.Data)
	doc, ok := d.parse()
	return d, doc, ok
}

func (d *document) parse() (hparams.Value, bool) {
	if strings.TrimSpace(d.text) == "" {
		hint := "write {} for none"
		if d.file == ResourceFile {
			hint = `e.g. {"current_host":"algo-1","hosts":["algo-1"]}`
		}
		d.fail(nowhere, hint, "is empty, expected a JSON object")
		return hparams.Value{}, false
	}
	if i := invalidUTF8(d.text); i >= 0 {
		d.fail(i, "save the file as UTF-8", "byte 0x%02x is not valid UTF-8", d.text[i])
		return hparams.Value{}, false
	}
	doc, duplicates, err := hparams.Parse(d.text)
	if syntax, ok := err.(*hparams.SyntaxError); ok { //nolint:errorlint // Parse says that it is the only error there is
		d.fail(syntax.Pos, "", "%s", syntax.Msg)
		return hparams.Value{}, false
	}
	for _, dup := range duplicates {
		d.duplicate(dup)
	}
	if doc.Kind == hparams.Null {
		doc = hparams.Value{Kind: hparams.Object}
	}
	return doc, d.kind(doc, hparams.Object, "the document")
}

// duplicate: Python's dicts take the last of equal keys, so a job runs; but two answers to who is in the
// cluster are none.
func (d *document) duplicate(dup hparams.Duplicate) {
	const hint = "remove one of them"
	if d.file == ResourceFile && dup.Top && (dup.Key == "current_host" || dup.Key == "hosts") {
		d.fail(dup.Pos, hint, "duplicate key %s", hparams.Quote(dup.Key))
		return
	}
	d.warn(dup.Pos, hint, "duplicate key %s, the last one counts", hparams.Quote(dup.Key))
}

// invalidUTF8 is the offset of the first byte that is not valid UTF-8, or -1.
func invalidUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			return i
		}
	}
	return -1
}

// The platform's limits on hyperparameters (CreateTrainingJob). The longest value has grown from 256 before, so
// that a longer one, which is there after all, is only worth a warning.
const (
	maxParams     = 100
	maxParamName  = 256
	maxParamValue = 2500
)

func loadParams(d *document, doc hparams.Value, job *Job) {
	job.Params = hparams.FromObject(doc)
	if n := len(job.Params); n > maxParams {
		d.fail(job.Params[maxParams].Pos, "put the rest into a file of a channel, or several into one JSON value",
			"%d hyperparameters, the platform takes at most %d", n, maxParams)
	}
	for _, p := range job.Params {
		if n := utf8.RuneCountInString(p.Name); n > maxParamName {
			d.warn(p.Pos, "", "hyperparameter name %s has %d characters, the platform takes at most %d", hparams.Quote(p.Name), n, maxParamName)
		}
		if p.Name == "" {
			d.warn(p.Pos, "", `hyperparameter name "" is empty`)
		}
		name := "hyperparameter " + hparams.Quote(p.Name)
		if p.Raw.Kind != hparams.String {
			d.warn(p.Raw.Pos, "on the platform every value is a string", "%s is %s, expected a string", name, p.Raw.Kind)
		} else if n := utf8.RuneCountInString(p.Raw.Text); n > maxParamValue {
			d.warn(p.Raw.Pos, "", "%s has a value of %d characters, the platform takes at most %d", name, n, maxParamValue)
		}
	}
}

// isJobName is the API's pattern [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}.
func isJobName(s string) bool {
	return s != "" && strings.Trim(s, "-") == s && isName(s, "-") && len(strings.ReplaceAll(s, "-", "")) <= 63
}

// isName says whether s is made of ASCII letters, digits and the extra characters.
func isName(s, extra string) bool {
	for _, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(extra, c) < 0 {
			return false
		}
	}
	return s != ""
}

// quoteAll shows a list, of a long one the start.
func quoteAll(items []string) string {
	const most = 32
	var quoted []string
	for _, s := range items[:min(len(items), most)] {
		quoted = append(quoted, hparams.Quote(s))
	}
	if len(items) > most {
		quoted = append(quoted, fmt.Sprintf("… %d in all", len(items)))
	}
	return fmt.Sprintf("[%s]", strings.Join(quoted, ","))
}
