package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// masked stands for a secret wherever entrain prints.
const masked = "******"

// IsSecret says whether the value of a name must not be printed: SECRET, PASSWORD, CREDENTIAL, PRIVATE and the like
// anywhere in it, in any case, or KEY, TOKEN or CRED, or one of them with an s, at the end of a word. A tokenizer is
// no secret.
func IsSecret(name string) bool {
	upper := strings.ToUpper(name)
	for _, word := range []string{"SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "PRIVATE", "APIKEY", "TOKENVALUE"} {
		if strings.Contains(upper, word) {
			return true
		}
	}
	if len(upper) != len(name) {
		return false // letters that change their size with their case; endsWord compares places
	}
	return endsWord(name, upper, "KEY") || endsWord(name, upper, "TOKEN") || endsWord(name, upper, "CRED")
}

// endsWord looks for word in upper where nothing, a plural s, or the next word of a camelCase name follows.
func endsWord(name, upper, word string) bool {
	for from := 0; ; {
		i := strings.Index(upper[from:], word)
		if i < 0 {
			return false
		}
		from += i + len(word)
		end := from
		if end < len(upper) && upper[end] == 'S' {
			end++
		}
		for _, at := range []int{from, end} {
			if at == len(name) || !isLetter(name[at]) || isUpper(name[at]) && !isUpper(name[at-1]) {
				return true
			}
		}
	}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isUpper(c byte) bool  { return c >= 'A' && c <= 'Z' }

// Masked is the job with every secret hyperparameter replaced, for a plan that is only printed.
func (j *Job) Masked() *Job {
	shown := *j
	shown.Params = slices.Clone(j.Params)
	for i := range shown.Params {
		p := &shown.Params[i]
		p.Value = maskValue(p.Name, p.Value)
		p.Raw = p.Value
	}
	return &shown
}

// maskValue replaces a value whose name is secret, and such members of an object at any depth.
func maskValue(name string, v hparams.Value) hparams.Value {
	if IsSecret(name) && v.Kind != hparams.Null {
		return hparams.Str(masked)
	}
	switch v.Kind {
	case hparams.Object:
		v.Fields = slices.Clone(v.Fields)
		for i, f := range v.Fields {
			v.Fields[i].Value = maskValue(f.Key, f.Value)
		}
	case hparams.List:
		v.Items = slices.Clone(v.Items)
		for i, item := range v.Items {
			v.Items[i] = maskValue("", item)
		}
	case hparams.String:
		v.Text = maskText("", v.Text)
	default:
	}
	return v
}

// MaskEnv is an environment with the secrets replaced, also those inside a variable that holds a JSON object.
func MaskEnv(env []string) []string {
	shown := make([]string, len(env))
	for i, kv := range env {
		name, value, ok := strings.Cut(kv, "=")
		if ok {
			kv = name + "=" + maskText(name, value)
		}
		shown[i] = kv
	}
	return shown
}

func maskText(name, value string) string {
	switch {
	case IsSecret(name):
		return masked
	case name == "sagemaker_mpi_custom_mpi_options": // words that set variables
		return strings.Join(MaskWords(strings.Fields(value)), " ")
	}
	if value != "" && strings.IndexByte(`{["`, value[0]) >= 0 { // JSON, even where it is a string in JSON again
		if doc, _, err := hparams.Parse(value); err == nil {
			if shown := hparams.JSON(maskValue("", doc), hparams.DriversJSON()); strings.Contains(shown, masked) {
				return shown
			}
		}
	}
	return value
}

// MaskWords is a command line with the secrets replaced: --password=x, --password x and password=x.
func MaskWords(words []string) []string {
	shown := slices.Clone(words)
	for i, word := range shown {
		name, value, assigns := strings.Cut(word, "=")
		flag := strings.HasPrefix(word, "-")
		switch {
		case assigns && isName(strings.TrimLeft(name, "-"), "-_.") && maskText(name, value) != value:
			shown[i] = name + "=" + maskText(name, value)
		case !assigns && flag && IsSecret(word) && i+1 < len(shown) && !strings.HasPrefix(words[i+1], "--"):
			shown[i+1] = masked
		case !assigns && maskText("", word) != word:
			shown[i] = maskText("", word)
		}
	}
	return shown
}

// MaskText is a text with the values of an environment's secrets replaced, wherever they stand. Short values are left:
// what is as short as a word cannot be told from one.
func MaskText(text string, env []string) string {
	const shortest = 6 // bytes
	for _, kv := range env {
		if name, value, ok := strings.Cut(kv, "="); ok && len(value) >= shortest && IsSecret(name) {
			text = strings.ReplaceAll(text, value, masked)
		}
	}
	return text
}
