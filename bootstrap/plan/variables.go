package plan

import (
	"strings"

	"entrain/contract"
)

// Variables are those of entrain that no flag has.
func Variables() []string { return []string{"ENTRAIN_COMMAND", KeyVariable, "ENTRAIN_DRY_RUN"} }

// IsVariable says whether a name is one of Variables, or one that entrain itself gives to a trainer, which
// may start entrain again.
func IsVariable(name string) bool {
	switch name {
	case "ENTRAIN_COMMAND", KeyVariable, "ENTRAIN_DRY_RUN", DirVariable, colonVariable, "ENTRAIN_RANK", "ENTRAIN_LOCAL_RANK":
		return true
	}
	return strings.HasPrefix(name, "ENTRAIN_CHANNEL_") && strings.HasSuffix(name, "_MODE")
}

// NearestVariable is the hint that a name may have been meant by another one; empty where none looks like it.
func NearestVariable(name string, names []string) string {
	const prefix = "ENTRAIN_" // which all have, so that it tells nothing
	short := make([]string, len(names))
	for i, other := range names {
		short[i] = strings.TrimPrefix(other, prefix)
	}
	hint := contract.Nearest(strings.TrimPrefix(name, prefix), short)
	return strings.Replace(strings.ReplaceAll(hint, `"`, ""), "mean ", "mean "+prefix, 1)
}

// Getenv looks a variable up in KEY=VALUE words.
func Getenv(env []string, name string) (string, bool) { return contract.Getenv(env, name) }

// Nearest is the name that a misspelt one may have been meant to be; empty where none looks like it.
func Nearest(name string, names []string) string { return contract.NearestName(name, names) }

// MaskWords replaces the secrets in the words of a command line.
func MaskWords(words []string) []string { return contract.MaskWords(words) }

// MaskEnv hides the secrets of an environment and of a command, before there is a Plan.
func MaskEnv(env, words []string) func(text string) string {
	return contract.SecretsOfEnv(env, words...).Mask
}
