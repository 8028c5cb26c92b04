package bootstrap

import (
	"fmt"

	"entrain/contract"
)

// The permission bits of others, and of those who can change a file beside its owner.
const (
	othersRead = 0o004
	notOwner   = 0o022 // group and others write
)

// keyProblems warns of a cluster key that more users than its owner can read or change: whoever has it can run anything
// on the hosts. The key file counts only where several hosts meet and no variable stands in its place.
func keyProblems(job *contract.Job, snap *contract.Snapshot) []contract.Problem {
	_, variable := snap.Getenv(clusterKey)
	if job == nil || len(job.Hosts) < 2 || variable || snap.ClusterKey.Data == nil {
		return nil
	}
	var who string
	switch mode := snap.ClusterKeyMode; {
	case mode&notOwner != 0:
		who = "other users can change the cluster key"
	case mode&othersRead != 0:
		who = "every user can read the cluster key"
	default:
		return nil
	}
	return []contract.Problem{{
		File: keyFile, Warning: true, Message: fmt.Sprintf("mode %04o: %s, expected 0600", snap.ClusterKeyMode, who),
		Hint: "in the Dockerfile: RUN chmod 600 " + keyFile,
	}}
}
