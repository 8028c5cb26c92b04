package plan

import (
	"slices"
	"strings"

	"entrain/contract"
)

// Variables returns the names of the variables that a user can set and that no flag stands for.
func Variables() []string { return []string{CommandVariable, KeyVariable, "ENTRAIN_DRY_RUN"} }

// IsVariable says whether name is one of Variables, or a variable that entrain gives to a trainer. A trainer
// may start entrain again.
func IsVariable(name string) bool {
	given := []string{DirVariable, colonVariable, "ENTRAIN_RANK", "ENTRAIN_LOCAL_RANK", ownRestartVariable}
	if slices.Contains(slices.Concat(Variables(), given, togetherVariables()), name) {
		return true
	}
	return strings.HasPrefix(name, "ENTRAIN_CHANNEL_") && strings.HasSuffix(name, "_MODE")
}

// NearestVariable returns the hint that another name may be meant. It is empty if none of names looks like
// name.
func NearestVariable(name string, names []string) string {
	const prefix = "ENTRAIN_" // all names share it, so it says nothing about how alike two of them are
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
