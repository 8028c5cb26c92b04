package bootstrap

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"entrain/bootstrap/output"
	"entrain/bootstrap/plan"
)

// ownMode is the mode of what the job's own program finds in its output. The program may be another user.
const ownMode = 0o755

// prepareOwn makes the directories that the job's own program expects, and removes the file by which an
// earlier run has said that it succeeded. Where that cannot be done, the program may succeed all the same.
func (d *Doer) prepareOwn(p *plan.Plan) {
	for _, dir := range p.Dirs {
		d.warnOfOutput(dir, os.MkdirAll(dir, ownMode))
	}
	if p.Success != "" {
		d.warnOfOutput(p.Success, os.Remove(p.Success))
	}
}

// noteSuccess makes the empty file by which the training toolkit says that the program has succeeded. Nothing
// of the platform reads it.
func (d *Doer) noteSuccess(p *plan.Plan) {
	if p.Success != "" {
		d.warnOfOutput(p.Success, output.Atomically(p.Success, strings.NewReader(""), 0o644))
	}
}

func (d *Doer) warnOfOutput(path string, err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.log.Warn().Msgf("cannot write %s: %s", path, output.Reason(err))
	}
}
