package plan

import (
	"fmt"

	"entrain/contract"
)

// KeyFile is where an image may have the cluster's key. The variable KeyVariable beats it.
const KeyFile = "/etc/entrain/cluster.key"

// KeyVariable is the one variable of entrain's own that no trainer gets.
const KeyVariable = "ENTRAIN_CLUSTER_KEY"

// findKey takes the cluster key from the variable, else from the file.
func findKey(snap *contract.Snapshot) (Key, error) {
	if text, given := snap.Getenv(KeyVariable); given {
		return Key{Given: true, From: KeyVariable, text: text}, nil
	}
	if problem := snap.ClusterKey.Problem; problem != "" {
		return Key{}, &UsageError{Err: fmt.Errorf(
			"the cluster key %s %s, expected a readable file as entrain keygen writes it\n"+
				"hint: in the Dockerfile: RUN entrain keygen --owner %d %s; or set %s",
			KeyFile, problem, snap.UID, KeyFile, KeyVariable)}
	}
	return Key{Given: snap.ClusterKey.Data != nil, From: KeyFile, text: string(snap.ClusterKey.Data)}, nil
}

// The permission bits of others, and of those who can change a file beside its owner.
const (
	othersRead = 0o004
	notOwner   = 0o022 // group and others write
)

// CheckKey warns of a cluster key that more users than its owner can read or change: whoever has it can run anything on
// the hosts. The key file counts only where several hosts meet and no variable stands in its place.
func CheckKey(job *contract.Job, snap *contract.Snapshot) []contract.Problem {
	_, variable := snap.Getenv(KeyVariable)
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
		File: KeyFile, Warning: true,
		Message: fmt.Sprintf("mode %04o: %s, expected 0600", snap.ClusterKeyMode, who),
		Hint:    "in the Dockerfile: RUN chmod 600 " + KeyFile,
	}}
}
