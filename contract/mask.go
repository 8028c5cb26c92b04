package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// masked takes the place of a secret wherever entrain prints one.
const masked = "******"

// mpiOptionsParam is the hyperparameter with options for mpirun. They are a command line, which may set
// variables.
const mpiOptionsParam = "sagemaker_mpi_custom_mpi_options"

// Masked returns a copy of the job without the secrets in its hyperparameters. It is for a plan that is only
// printed.
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

// maskValue replaces a value if its name is secret. In an object it replaces such members at any depth, and
// in a text also everything that has the shape of a secret.
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

// MaskEnv returns KEY=VALUE words with the secrets replaced, also those inside of a variable that holds JSON.
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

// maskText replaces the secrets in the text of a variable or a hyperparameter. The name may be empty.
func maskText(name, value string) string {
	switch {
	case IsSecret(name):
		return masked
	case name == mpiOptionsParam:
		return strings.Join(MaskWords(strings.Fields(value)), " ")
	}
	if doc, ok := parseJSONText(value); ok {
		if shown := hparams.JSON(maskValue("", doc), hparams.DriversJSON()); strings.Contains(shown, masked) {
			return maskShapes(shown)
		}
	}
	return maskShapes(value)
}

// MaskWords returns a command line with the secrets replaced: the x in --password=x, --password x and
// password=x.
func MaskWords(words []string) []string {
	shown := slices.Clone(words)
	for i, word := range shown {
		name, value, assigns := strings.Cut(word, "=")
		flag := strings.HasPrefix(word, "-")
		switch {
		case assigns && hparams.IsWord(strings.TrimLeft(name, "-"), "-_.") && maskText(name, value) != value:
			shown[i] = name + "=" + maskText(name, value)
		case !assigns && flag && IsSecret(word) && i+1 < len(shown) && !strings.HasPrefix(words[i+1], "--"):
			shown[i+1] = masked
		case !assigns && maskText("", word) != word:
			shown[i] = maskText("", word)
		}
	}
	return shown
}
