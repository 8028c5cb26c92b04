package bootstrap

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"entrain/contract"
	"entrain/hostwait/rendezvous"
	"entrain/hparams"
)

// keyFile is where an image may have the cluster's key; the variable clusterKey beats it.
const keyFile = "/etc/entrain/cluster.key"

// decideMeet says how the hosts meet; nil where there is nobody to meet.
func decideMeet(job *contract.Job, snap *contract.Snapshot, o Options) (*Meet, error) {
	if len(job.Hosts) < 2 || !o.Rendezvous.On {
		return nil, nil //nolint:nilnil // no plan to meet is no error
	}
	slots, err := decideSlots(job, o.Slots)
	if err != nil {
		return nil, err
	}
	from := clusterKey
	key, keyed := snap.Getenv(clusterKey)
	if problem := snap.ClusterKey.Problem; problem != "" && !keyed {
		return nil, &UsageError{Err: fmt.Errorf("the cluster key %s %s, expected a readable file as entrain keygen writes it\n"+
			"hint: in the Dockerfile: RUN entrain keygen --owner %d %s; or set %s", keyFile, problem, snap.UID, keyFile, clusterKey)}
	}
	if !keyed {
		from, key, keyed = keyFile, string(snap.ClusterKey.Data), snap.ClusterKey.Data != nil
	}
	params := make([]string, 0, len(job.Params))
	for _, p := range job.Params {
		params = append(params, hparams.Quote(p.Name)+hparams.JSON(p.Raw, hparams.ToolkitJSON()))
	}
	slices.Sort(params) // an object's order means nothing
	return &Meet{
		Hosts: job.Order(), Host: job.Host, Interface: job.Interface, Job: cmp.Or(job.ARN, job.Name),
		Slots: slots, CPUs: job.Machine.CPUs, Accelerators: cmp.Or(job.Machine.GPUs, job.Machine.NeuronCores),
		Digests: map[string]string{"hosts": digest(job.Order()...), "hyperparameters": digest(params...)},
		Port:    o.Rendezvous.Port, PeerTimeout: o.Rendezvous.PeerTimeout, Ignore: o.Rendezvous.Ignore, Timeout: o.WaitTimeout, DNSOnly: o.DNSOnly,
		MPI: wantsMPI(job, o), key: key, keyFrom: from, keyed: keyed,
	}, nil
}

// digest is of words 32 bits: enough to notice that two hosts differ, and too few to find out by trying what a secret
// among the words is.
func digest(words ...string) string {
	h := sha256.New()
	for _, w := range words {
		fmt.Fprintf(h, "%d:%s,", len(w), w) // a netstring, so that no two lists look the same
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}

// WriteKey writes a new cluster key to a file that only its owner can read: this user, or owner if that is not nil. It
// makes missing directories. It refuses a file that is there: hosts that have its key would be cut off.
func WriteKey(path string, owner *Owner) error {
	err := os.MkdirAll(filepath.Dir(path), 0o755) //nolint:gosec // the file itself is private
	if err != nil {
		return &OutputError{What: path, Err: err}
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return &OutputError{What: path, Err: err}
	}
	_, err = file.WriteString(rendezvous.NewKey())
	if err == nil && owner != nil {
		err = file.Chown(owner.UID, owner.GID)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return &OutputError{What: path, Err: errors.Join(err, os.Remove(path))}
	}
	return nil
}

// Owner is to whom a file is given.
type Owner struct{ UID, GID int } // a GID of -1 is left as it is

// ParseOwner reads UID or UID:GID.
func ParseOwner(text string) (*Owner, error) {
	uid, gid, grouped := strings.Cut(text, ":")
	u, err := strconv.ParseUint(uid, 10, 31)
	g := uint64(0)
	if err == nil && grouped {
		g, err = strconv.ParseUint(gid, 10, 31)
	}
	if err != nil {
		return nil, errors.New("expected UID or UID:GID, as numbers")
	}
	o := &Owner{UID: int(u), GID: -1}
	if grouped {
		o.GID = int(g)
	}
	return o, nil
}
