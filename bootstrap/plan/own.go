package plan

import (
	"slices"
	"strings"

	"entrain/contract"
)

// decideOwn decides what the job's own program gets, as of the training toolkit, and returns the words that
// start it: its code and what that needs, its directory in PYTHONPATH, and the files of its output.
func (p *Plan) decideOwn(job *contract.Job, snap *contract.Snapshot, o Options) []string {
	p.Command.Dir = job.CodeDir(snap)
	p.decideSource(job, snap, o)
	if o.Install {
		p.Install = job.InstallWords(snap)
	}
	p.prependPath("PYTHONPATH", p.Command.Dir)
	p.Dirs = []string{job.Dir("output/intermediate")}
	p.Success = job.Dir("output/success")
	return job.ScriptWords(snap)
}

// prependPath puts a directory in front of the others that a variable holds.
func (p *Plan) prependPath(name, dir string) {
	value := dir
	if old, _ := contract.Getenv(p.Command.Env, name); old != "" {
		value += ":" + old
	}
	has := func(kv string) bool { return strings.HasPrefix(kv, name+"=") }
	p.Command.Env = append(slices.DeleteFunc(p.Command.Env, has), name+"="+value)
	p.Added++
}
