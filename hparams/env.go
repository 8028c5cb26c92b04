package hparams

import "strings"

// ToolkitText is a value as an environment variable of the toolkit (to_env_vars of mapping.py): null is empty, a
// string is itself, anything else compact JSON with sorted keys.
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

// DriversText is a value as the drivers write it (safe_serialize of common/utils.py), in flags and variables.
func DriversText(v Value) string {
	if v.Kind == String {
		return v.Text
	}
	return JSON(v, DriversJSON())
}

// ToolkitName is the variable of a name such as hp_batch-size or channel_train: SM_ and its capitals, every
// other character kept.
func ToolkitName(name string) string { return "SM_" + pyUpper(name) }

// DriversName is the variable of a hyperparameter: as ToolkitName, but with _ for -.
func DriversName(hyperparameter string) string {
	return "SM_HP_" + pyUpper(strings.ReplaceAll(hyperparameter, "-", "_"))
}

// ShellName is a variable's name with _ for every character that a shell cannot have in one.
func ShellName(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 0x80 || !onlyOf(string(r), "_") {
			r = '_'
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}
