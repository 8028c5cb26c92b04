package scaffold

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"entrain/bootstrap/output"
	"entrain/hostwait/rendezvous"
)

// WriteKey writes a new cluster key to a file that only its owner can read: this user, or owner if it is not
// nil. It makes missing directories. It never overwrites a file: hosts that have the old key would be cut
// off. Its errors are *output.Error.
func WriteKey(path string, owner *Owner) error {
	err := os.MkdirAll(filepath.Dir(path), 0o755) //nolint:gosec // the file itself is private
	if err != nil {
		return &output.Error{What: path, Err: err}
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return &output.Error{What: path, Err: err}
	}
	_, err = file.WriteString(rendezvous.NewKey())
	if err == nil && owner != nil {
		err = file.Chown(owner.UID, owner.GID)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return &output.Error{What: path, Err: errors.Join(err, os.Remove(path))}
	}
	return nil
}

// Owner is the user and the group that get a file. With a GID of -1 the file keeps its group.
type Owner struct{ UID, GID int }

// ParseOwner reads UID or UID:GID, both as numbers. Any other text is an error.
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
