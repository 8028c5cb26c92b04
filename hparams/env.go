package hparams

import "strings"

// ToolkitText writes a value as the toolkit does for an environment variable (to_env_vars in mapping.py):
// null becomes the empty text, a string stays as it is, and any other value becomes compact JSON with
// sorted keys.
func ToolkitText(v Value) string {
	switch v.Kind {
	case Null:
		return ""
	case String:
		return v.Text
	default:
		return JSON(v, ToolkitJSON())
	}
}

// DriversText writes a value as the drivers do, in flags and in variables (safe_serialize in
// common/utils.py).
func DriversText(v Value) string {
	if v.Kind == String {
		return v.Text
	}
	return JSON(v, DriversJSON())
}

// ToolkitName returns the toolkit's variable for a name such as hp_batch-size or channel_train: SM_ and the
// name in capitals. Characters without a capital stay: SM_HP_BATCH-SIZE.
func ToolkitName(name string) string { return "SM_" + pyUpper(name) }

// DriversName returns the drivers' variable for a hyperparameter: SM_HP_ and the name in capitals, with _ in
// place of each hyphen.
func DriversName(hyperparameter string) string {
	return "SM_HP_" + pyUpper(strings.ReplaceAll(hyperparameter, "-", "_"))
}

// ShellName makes a variable's name readable to a shell: in capitals, with _ in place of every character but
// ASCII letters, digits and _.
func ShellName(name string) string {
	var b strings.Builder
	for _, r := range name {
		if !IsWord(string(r), "_") {
			r = '_'
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}
