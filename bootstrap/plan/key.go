package plan

import (
	"fmt"

	"entrain/contract"
)

// KeyFile is the path of the cluster key in an image. The variable KeyVariable beats it.
const KeyFile = "/etc/entrain/cluster.key"

// KeyVariable is the name of the variable that holds the cluster key. It is the only variable of entrain that
// no trainer gets.
const KeyVariable = "ENTRAIN_CLUSTER_KEY"

// findKey takes the cluster key from the variable, else from the file. A file that cannot be read is a
// *UsageError.
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

// Permission bits of users other than the owner.
const (
	othersRead          = 0o004
	groupAndOthersWrite = 0o022
)

// CheckKey warns of a key file that users other than its owner can change, or that every user can read.
// Whoever has the key can run any program on the hosts. CheckKey looks at the file only if the job has
// several hosts and the variable is not set.
func CheckKey(job *contract.Job, snap *contract.Snapshot) []contract.Problem {
	_, inVariable := snap.Getenv(KeyVariable)
	if job == nil || len(job.Hosts) < 2 || inVariable || snap.ClusterKey.Data == nil {
		return nil
	}
	var danger string
	switch mode := snap.ClusterKeyMode; {
	case mode&groupAndOthersWrite != 0:
		danger = "other users can change the cluster key"
	case mode&othersRead != 0:
		danger = "every user can read the cluster key"
	default:
		return nil
	}
	return []contract.Problem{{
		File: KeyFile, Warning: true,
		Message: fmt.Sprintf("mode %04o: %s, expected 0600", snap.ClusterKeyMode, danger),
		Hint:    "in the Dockerfile: RUN chmod 600 " + KeyFile,
	}}
}
