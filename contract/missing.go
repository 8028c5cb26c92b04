package contract

import (
	"slices"
	"strings"
)

// isMissing is the File.Problem of a file that does not exist.
const isMissing = "is missing"

// configFiles lists the files that the platform writes for every job.
func configFiles() []string { return []string{HyperparametersFile, InputDataFile, ResourceFile} }

// missingContract returns one problem if the directory holds no file of a contract, and no file with a
// similar name. Otherwise it returns none: then each missing file is a problem of its own.
func missingContract(s *Snapshot) []Problem {
	for _, name := range configFiles() {
		if file, exists := s.Files[name]; exists && !isAbsent(file) || similarFile(s, name) != "" {
			return nil
		}
	}
	names := configFiles()
	return []Problem{{
		Message: "no contract in " + s.Root + "/input/config: " + strings.Join(names, ", ") + " are missing",
		Hint:    "on a laptop: entrain scaffold job, then --root job",
	}}
}

// isAbsent tells whether a file is missing, or a part of its path is no directory.
func isAbsent(file File) bool {
	return file.Problem == isMissing || strings.HasSuffix(file.Problem, ": not a directory")
}

// hintForMissingFile returns the hint for a configuration file that cannot be read.
func hintForMissingFile(s *Snapshot, name string) string {
	if other := similarFile(s, name); other != "" {
		return "did you mean " + other + ", which is there? rename it to " + name
	}
	return "the platform writes it for every job; entrain scaffold DIR makes a valid tree"
}

// similarFile returns the name of a file that probably should have the given name. It is empty if there is
// none.
func similarFile(s *Snapshot, name string) string {
	others := slices.DeleteFunc(slices.Clone(s.Config), func(other string) bool {
		return slices.Contains(configFiles(), other) || !strings.HasSuffix(strings.ToLower(other), ".json")
	})
	return NearestName(name, others)
}
