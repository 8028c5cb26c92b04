package contract

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"entrain/hparams"
)

// Secrets holds the values that no text may show. The zero value holds none, and still hides every text that
// has the shape of a secret. The values are gathered at the first call of Mask: a job without a failure needs
// none.
type Secrets struct{ values func() []string }

// The lengths of the shortest values that Mask hides, in bytes. Shorter values cannot be told from ordinary
// text: a password of one letter would turn the whole text into stars.
const (
	shortestWord = 4 // hidden if no letter or digit stands beside it
	shortestPart = 6 // hidden inside of other words too
)

// SecretsOf returns the secrets of a job: those in its environment, in its hyperparameters, in the words of a
// command, and its cluster key.
func SecretsOf(s *Snapshot, words ...string) Secrets {
	return Secrets{sync.OnceValue(func() []string { return valuesOf(s, words) })}
}

func valuesOf(s *Snapshot, words []string) []string {
	set := secretSet{}
	set.addEnv(s.Env)
	if doc, _, err := hparams.Parse(string(s.Files[HyperparametersFile].Data)); err == nil {
		for _, p := range hparams.FromObject(doc) {
			set.addParam(p.Name, p.Raw)
			set.addParam(p.Name, p.Value)
		}
	}
	set.addSpellings(strings.TrimSpace(string(s.ClusterKey.Data)), certain)
	set.addWords(words)
	return set.longestFirst()
}

// SecretsOfEnv returns the secrets in an environment and in the words of a command. The environment of a
// trainer also holds its hyperparameters.
func SecretsOfEnv(env []string, words ...string) Secrets {
	return Secrets{sync.OnceValue(func() []string {
		set := secretSet{}
		set.addEnv(env)
		set.addWords(words)
		return set.longestFirst()
	})}
}

// secretSet gathers values, each once.
type secretSet map[string]bool

func (set secretSet) longestFirst() []string {
	values := make([]string, 0, len(set))
	for value := range set {
		values = append(values, value)
	}
	slices.SortFunc(values, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	return values
}

func (set secretSet) addEnv(env []string) {
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		param, isParam := strings.CutPrefix(name, "SM_")
		switch {
		case isParam:
			set.addParam(strings.TrimPrefix(param, "HP_"), hparams.Str(value))
		case name == "ENTRAIN_COMMAND":
			isBetween := func(r rune) bool { return strings.ContainsRune(" \t\n'\",[]", r) }
			set.addWords(strings.FieldsFunc(value, isBetween))
		case IsSecret(name): // here a name such as LABEL_KEY counts as certain, unlike in hyperparameters
			set.addValue("", hparams.Str(value), certain)
		default:
			set.addValue("", hparams.Str(value), harmless)
		}
	}
}

// addParam adds the secrets in a hyperparameter.
func (set secretSet) addParam(name string, v hparams.Value) {
	if name == mpiOptionsParam {
		set.addWords(strings.Fields(v.Text))
		return
	}
	set.addValue(name, v, harmless)
}

// addWords adds the secrets in a command line: the word after a flag such as --password, and the text after
// the equals sign of a secret name.
func (set secretSet) addWords(words []string) {
	for i, word := range words {
		name, value, assigns := strings.Cut(word, "=")
		switch {
		case assigns:
			set.addSpellings(value, weigh(name))
		case strings.HasPrefix(word, "-") && i+1 < len(words):
			set.addSpellings(words[i+1], weigh(word))
		}
		set.addValue("", hparams.Str(word), harmless)
	}
}

// addValue adds the secrets in a value: everything below a secret name, at any depth, also in JSON inside
// of a string. The value counts as a secret at least as surely as inherited says.
func (set secretSet) addValue(name string, v hparams.Value, inherited weight) {
	w := max(inherited, weigh(name))
	switch v.Kind {
	case hparams.Object:
		for _, f := range v.Fields {
			set.addValue(f.Key, f.Value, w)
		}
	case hparams.List:
		for _, item := range v.Items {
			set.addValue("", item, w)
		}
	case hparams.String:
		set.addText(v.Text, w)
	case hparams.Int, hparams.Float:
		set.addSpellings(v.Text, w)
	default:
	}
}

func (set secretSet) addText(text string, w weight) {
	if doc, ok := parseJSONText(text); ok {
		set.addValue("", doc, w)
	}
	for _, s := range urlSpans(text) { // a library may show the password of a URL without the URL
		set.addSpellings(text[s.from:s.to], certain)
	}
	set.addSpellings(text, w)
}

// addSpellings adds a value in every spelling that a text may have it in.
func (set secretSet) addSpellings(value string, w weight) {
	if !isWorthHiding(value, w) {
		return
	}
	for _, s := range append(spellings(value), parts(value)...) {
		if len(s) >= shortestWord {
			set[s] = true
		}
	}
}

// isWorthHiding tells whether Mask hides a value. A value that is only likely to be a secret must also look
// like one.
func isWorthHiding(value string, w weight) bool {
	ordinary := []string{"true", "false", "none", "null", "auto", "default", masked}
	switch {
	case w == harmless || len(value) < shortestWord || slices.Contains(ordinary, strings.ToLower(value)):
		return false
	case w == certain:
		return true
	}
	const long = 20 // bytes; the name of a column or of a token of text is shorter
	isNumber := strings.Trim(value, "0123456789.") == ""
	return !isNumber && (strings.ContainsAny(value, "0123456789") || len(value) >= long)
}

// Mask returns a text with every secret replaced, and with every part replaced that has the shape of a
// secret.
func (s Secrets) Mask(text string) string {
	found := shapeSpans(text)
	if s.values != nil {
		for _, value := range s.values() {
			found = append(found, occurrences(text, value)...)
		}
	}
	return hideSpans(text, found)
}

// span is a part of a text, by its offsets in bytes.
type span struct{ from, to int }

// occurrences returns the places of a value in a text. A short value counts only if it stands alone.
func occurrences(text, value string) []span {
	var found []span
	for _, i := range offsets(text, value) {
		at := span{i, i + len(value)}
		if len(value) >= shortestPart || standsAlone(text, at) {
			found = append(found, at)
		}
	}
	return found
}

// standsAlone tells whether no letter and no digit stands beside a part of a text.
func standsAlone(text string, at span) bool {
	return (at.from == 0 || !isAlnum(text[at.from-1])) && (at.to == len(text) || !isAlnum(text[at.to]))
}

// hideSpans replaces each span by stars. Spans that overlap become one, so that no rest of a secret stays
// between them.
func hideSpans(text string, spans []span) string {
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
