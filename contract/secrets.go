package contract

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"entrain/hparams"
)

// Secrets are the values that no text may show. The zero value knows none, and still hides what has a
// secret's shape. They are gathered when the first text is: a job that goes well has none.
type Secrets struct{ values func() []string }

// The shortest values that are hidden, in bytes. Shorter ones cannot be told from ordinary text: a
// password of one letter would turn all of it into stars.
const (
	shortestWord = 4 // hidden where it is a word by itself
	shortestPart = 6 // hidden inside of other words too
)

// SecretsOf are those of a job: of its environment, its hyperparameters as far as they can be read, its
// cluster key, and of a command's words.
func SecretsOf(s *Snapshot, words ...string) Secrets {
	return Secrets{sync.OnceValue(func() []string { return valuesOf(s, words) })}
}

func valuesOf(s *Snapshot, words []string) []string {
	c := collection{}
	c.environment(s.Env)
	if doc, _, err := hparams.Parse(string(s.Files[HyperparametersFile].Data)); err == nil {
		for _, p := range hparams.FromObject(doc) {
			c.param(p.Name, p.Raw)
			c.param(p.Name, p.Value)
		}
	}
	c.add(strings.TrimSpace(string(s.ClusterKey.Data)), certain)
	c.words(words)
	return c.longestFirst()
}

// SecretsOfEnv are those of an environment, which of a trainer has the hyperparameters too, and of a
// command's words.
func SecretsOfEnv(env []string, words ...string) Secrets {
	return Secrets{sync.OnceValue(func() []string {
		c := collection{}
		c.environment(env)
		c.words(words)
		return c.longestFirst()
	})}
}

// collection gathers values, each once.
type collection map[string]bool

func (c collection) longestFirst() []string {
	values := make([]string, 0, len(c))
	for value := range c {
		values = append(values, value)
	}
	slices.SortFunc(values, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	return values
}

func (c collection) environment(env []string) {
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		param, isParam := strings.CutPrefix(name, "SM_")
		switch {
		case isParam:
			c.param(strings.TrimPrefix(param, "HP_"), hparams.Str(value))
		case name == "ENTRAIN_COMMAND":
			c.words(strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\n'\",[]", r) }))
		case IsSecret(name): // an environment's key is one, unlike a hyperparameter's
			c.value("", hparams.Str(value), certain)
		default:
			c.value("", hparams.Str(value), harmless)
		}
	}
}

// param takes a hyperparameter.
func (c collection) param(name string, v hparams.Value) {
	if name == "sagemaker_mpi_custom_mpi_options" { // words that set variables
		c.words(strings.Fields(v.Text))
		return
	}
	c.value(name, v, harmless)
}

// words takes what follows a flag such as --password, or an equals sign behind a secret's name.
func (c collection) words(words []string) {
	for i, word := range words {
		name, value, assigns := strings.Cut(word, "=")
		switch {
		case assigns:
			c.add(value, weigh(name))
		case strings.HasPrefix(word, "-") && i+1 < len(words):
			c.add(words[i+1], weigh(word))
		}
		c.value("", hparams.Str(word), harmless)
	}
}

// value takes the secrets in a value: what belongs to a secret's name, at any depth, also of JSON inside
// of a text.
func (c collection) value(name string, v hparams.Value, inherited weight) {
	w := max(inherited, weigh(name))
	switch v.Kind {
	case hparams.Object:
		for _, f := range v.Fields {
			c.value(f.Key, f.Value, w)
		}
	case hparams.List:
		for _, item := range v.Items {
			c.value("", item, w)
		}
	case hparams.String:
		c.text(v.Text, w)
	case hparams.Int, hparams.Float:
		c.add(v.Text, w)
	default:
	}
}

func (c collection) text(text string, w weight) {
	if text != "" && strings.IndexByte(`{["`, text[0]) >= 0 {
		if doc, _, err := hparams.Parse(text); err == nil {
			c.value("", doc, w)
		}
	}
	for _, s := range urlSpans(text) { // a library shows them by themselves too
		c.add(text[s.from:s.to], certain)
	}
	c.add(text, w)
}

// add takes a value, and how others spell it.
func (c collection) add(value string, w weight) {
	if !isWorth(value, w) {
		return
	}
	for _, s := range append(spellings(value), parts(value)...) {
		if len(s) >= shortestWord {
			c[s] = true
		}
	}
}

// isWorth says whether a value is hidden. One that is only likely to be a secret has to look like one.
func isWorth(value string, w weight) bool {
	ordinary := []string{"true", "false", "none", "null", "auto", "default", masked}
	switch {
	case w == harmless || len(value) < shortestWord || slices.Contains(ordinary, strings.ToLower(value)):
		return false
	case w == certain:
		return true
	}
	const long = 20 // bytes; a column's or a token's name is shorter
	isNumber := strings.Trim(value, "0123456789.") == ""
	return !isNumber && (strings.ContainsAny(value, "0123456789") || len(value) >= long)
}

// Mask is a text with the secrets replaced, wherever they stand, and with them what has a secret's shape.
func (s Secrets) Mask(text string) string {
	found := shapes(text)
	if s.values != nil {
		for _, value := range s.values() {
			found = append(found, occurrences(text, value)...)
		}
	}
	return cover(text, found)
}

// span is a part of a text, in bytes.
type span struct{ from, to int }

// occurrences are where a value stands in a text.
func occurrences(text, value string) []span {
	var found []span
	for from := 0; ; {
		i := strings.Index(text[from:], value)
		if i < 0 {
			return found
		}
		at := span{from + i, from + i + len(value)}
		if len(value) >= shortestPart || isApart(text, at) {
			found = append(found, at)
		}
		from = at.to
	}
}

// isApart says that neither a letter nor a digit is beside a part of a text.
func isApart(text string, at span) bool {
	return (at.from == 0 || !isAlnum(text[at.from-1])) && (at.to == len(text) || !isAlnum(text[at.to]))
}

// cover puts stars in the place of spans. Those that overlap are one: no rest of a secret is left between
// them.
func cover(text string, spans []span) string {
	if len(spans) == 0 {
		return text
	}
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var b strings.Builder
	end := 0
	for i := 0; i < len(spans); {
		whole := spans[i]
		for i++; i < len(spans) && spans[i].from < whole.to; i++ {
			whole.to = max(whole.to, spans[i].to)
		}
		b.WriteString(text[end:whole.from] + masked)
		end = whole.to
	}
	return b.String() + text[end:]
}
