package hparams

import "strings"

// Param is one hyperparameter.
type Param struct {
	Name  string
	Pos   int   // of the name in hyperparameters.json, in bytes
	Raw   Value // as the file has it: on the platform always a String
	Value Value // decoded, see Decode
}

// ParamError is a hyperparameter that what was asked for cannot express.
type ParamError struct{ Name, Msg string }

func (e *ParamError) Error() string { return "hyperparameter " + Quote(e.Name) + ": " + e.Msg }

// Params are the hyperparameters of a job in the order of the file, each name once.
type Params []Param

// FromObject decodes the document of hyperparameters.json.
func FromObject(doc Value) Params {
	params := make(Params, len(doc.Fields))
	for i, f := range doc.Fields {
		params[i] = Param{Name: f.Key, Pos: f.Pos, Raw: f.Value, Value: Decode(f.Value)}
	}
	return params
}

// Get is the decoded value of a hyperparameter.
func (p Params) Get(name string) (Value, bool) {
	for _, param := range p {
		if param.Name == name {
			return param.Value, true
		}
	}
	return Value{}, false
}

// Object is the decoded hyperparameters as one JSON object.
func (p Params) Object() Value {
	v := Value{Kind: Object, Fields: make([]Field, len(p))}
	for i, param := range p {
		v.Fields[i] = Field{Key: param.Name, Pos: param.Pos, Value: param.Value}
	}
	return v
}

// User are the hyperparameters that belong to the trainer; the others belong to the platform and its SDK:
// all that begin with sagemaker_ and two more names (params.py and environment.py of the toolkit).
func (p Params) User() Params {
	return p.keep(func(name string) bool { return !ofPlatform(name) })
}

// Framework are the platform's hyperparameters that the toolkit does not know by name; it shows them as
// SM_FRAMEWORK_PARAMS and decides from them which hosts train together.
func (p Params) Framework() Params {
	return p.keep(func(name string) bool { return ofPlatform(name) && !knownToToolkit(name) })
}

func (p Params) keep(want func(name string) bool) Params {
	kept := make(Params, 0, len(p))
	for _, param := range p {
		if want(param.Name) {
			kept = append(kept, param)
		}
	}
	return kept
}

func ofPlatform(name string) bool {
	return strings.HasPrefix(name, "sagemaker_") || knownToToolkit(name)
}

func knownToToolkit(name string) bool {
	switch name {
	case "sagemaker_program", "sagemaker_submit_directory", "sagemaker_enable_cloudwatch_metrics",
		"sagemaker_region", "sagemaker_container_log_level", "sagemaker_job_name", "sagemaker_s3_output",
		"_tuning_objective_metric", "default_user_module_name":
		return true
	}
	return false
}
