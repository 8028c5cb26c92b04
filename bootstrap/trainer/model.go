package trainer

import (
	"errors"
	"io/fs"
	"os"

	"entrain/bootstrap/events"
)

// LookForModel warns if a job has left no file in dir, the directory that the platform keeps as the job's
// model.
func LookForModel(log events.Log, dir string) {
	state := "missing"
	if f, err := os.Open(dir); err == nil {
		names, _ := f.Readdirnames(1)
		_ = f.Close()
		if len(names) > 0 {
			return
		}
		state = "empty"
	} else if !errors.Is(err, fs.ErrNotExist) {
		return
	}
	log.Warn().Msgf("%s is %s at the end: this job has no model\n"+
		"hint: a trainer saves its model to SM_MODEL_DIR", dir, state)
}
