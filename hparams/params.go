package hparams

import "strings"

// Param is one hyperparameter.
type Param struct {
	Name  string
	Pos   int   // where its name stands in hyperparameters.json, as an offset in bytes
	Raw   Value // the value in the file: a String on the platform
	Value Value // the value that Decode makes of Raw
}

// ParamError is the error for a hyperparameter that a style or a file format cannot express.
type ParamError struct{ Name, Msg string }

func (e *ParamError) Error() string { return "hyperparameter " + Quote(e.Name) + ": " + e.Msg }

// Params holds the hyperparameters of a job in the order of the file, each name once.
type Params []Param

// FromObject decodes the document of hyperparameters.json.
func FromObject(doc Value) Params {
	params := make(Params, len(doc.Fields))
	for i, f := range doc.Fields {
		params[i] = Param{Name: f.Key, Pos: f.Pos, Raw: f.Value, Value: Decode(f.Value)}
	}
	return params
}

// typed returns the value as parsers that know booleans take it: True and False, which the SDK's generic
// Estimator sends, are booleans. In quotes ("\"True\"") they are text.
func (p Param) typed() Value {
	if p.Raw.Kind == String && (p.Raw.Text == "True" || p.Raw.Text == "False") {
		return Value{Kind: Bool, Text: strings.ToLower(p.Raw.Text), Pos: p.Value.Pos}
	}
	return p.Value
}

// Find returns a hyperparameter, and whether the job has it.
func (p Params) Find(name string) (Param, bool) {
	for _, param := range p {
		if param.Name == name {
			return param, true
		}
	}
	return Param{}, false
}

// Get returns the decoded value of a hyperparameter, and whether the job has it.
func (p Params) Get(name string) (Value, bool) {
	param, ok := p.Find(name)
	return param.Value, ok
}

// Object returns the decoded hyperparameters as one JSON object.
func (p Params) Object() Value {
	v := Value{Kind: Object, Fields: make([]Field, len(p))}
	for i, param := range p {
		v.Fields[i] = Field{Key: param.Name, Pos: param.Pos, Value: param.Value}
	}
	return v
}

// User returns the hyperparameters that belong to the trainer. The others belong to the platform and its SDK:
// every name that begins with sagemaker_, and two more (params.py and environment.py of the toolkit).
func (p Params) User() Params {
	return p.filter(func(name string) bool { return !isPlatformName(name) })
}

// Framework returns the platform's hyperparameters that the toolkit does not know by name. The toolkit shows
// them in SM_FRAMEWORK_PARAMS, and decides from them which hosts train together.
func (p Params) Framework() Params {
	return p.filter(func(name string) bool { return isPlatformName(name) && !isToolkitName(name) })
}

// filter returns the hyperparameters with a wanted name.
func (p Params) filter(isWanted func(name string) bool) Params {
	kept := make(Params, 0, len(p))
	for _, param := range p {
		if isWanted(param.Name) {
			kept = append(kept, param)
		}
	}
	return kept
}

// isPlatformName tells whether a hyperparameter belongs to the platform and its SDK.
func isPlatformName(name string) bool {
	return strings.HasPrefix(name, "sagemaker_") || isToolkitName(name)
}

// isToolkitName tells whether the toolkit's params.py lists a hyperparameter.
func isToolkitName(name string) bool {
	switch name {
	case "sagemaker_program", "sagemaker_submit_directory", "sagemaker_enable_cloudwatch_metrics",
		"sagemaker_region", "sagemaker_container_log_level", "sagemaker_job_name", "sagemaker_s3_output",
		"_tuning_objective_metric", "default_user_module_name":
		return true
	}
	return false
}
