package contract

import (
	"slices"
	"strings"
)

// isMissing is the problem of a file that does not exist.
const isMissing = "is missing"

// configFiles are the files that the platform writes for every job.
func configFiles() []string { return []string{HyperparametersFile, InputDataFile, ResourceFile} }

// noContract is the one problem of a directory that holds nothing of a contract. There is no such problem where it
// holds a part of one, or files whose names look like those of a contract.
func noContract(s *Snapshot) []Problem {
	for _, name := range configFiles() {
		if file, there := s.Files[name]; there && !isNowhere(file) || misnamed(s, name) != "" {
			return nil
		}
	}
	names := configFiles()
	return []Problem{{
		Message: "no contract in " + s.Root + "/input/config: " + strings.Join(names, ", ") + " are missing",
		Hint:    "on a laptop: entrain scaffold job, then --root job",
	}}
}

// isNowhere says that a file is missing, or that a part of its path is no directory.
func isNowhere(file File) bool {
	return file.Problem == isMissing || strings.HasSuffix(file.Problem, ": not a directory")
}

// whyNoFile is the hint for a configuration file that cannot be read.
func whyNoFile(s *Snapshot, name string) string {
	if other := misnamed(s, name); other != "" {
		return "did you mean " + other + ", which is there? rename it to " + name
	}
	return "the platform writes it for every job; entrain scaffold DIR makes a valid tree"
}

// misnamed is the name of a file that was probably meant to be a configuration file that is missing.
func misnamed(s *Snapshot, name string) string {
	others := slices.DeleteFunc(slices.Clone(s.Config), func(other string) bool {
		return slices.Contains(configFiles(), other) || !strings.HasSuffix(strings.ToLower(other), ".json")
	})
	return NearestName(name, others)
}
