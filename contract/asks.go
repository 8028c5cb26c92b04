package contract

import (
	"path"
	"strings"

	"entrain/hparams"
)

// Call is how a trainer is to be started, as far as that decides what a job asks for in vain.
type Call struct {
	Alone    bool // each host starts the trainer by itself, as the user has chosen
	Launched bool // MPI starts it
	Command  bool // its words are given, so that the job's program does not count
}

// CheckAsks says what the job asks for and nobody would do.
func CheckAsks(j *Job, s *Snapshot, c Call) []Problem {
	var problems []Problem
	d := &document{file: HyperparametersFile, text: string(s.Files[HyperparametersFile].Data), problems: &problems}
	if !c.Alone {
		checkDistributions(d, j, c.Launched)
	}
	checkCode(d, j, s, c.Command)
	if p, ok := j.param("sagemaker_s3_output"); ok && p.Value.Truthy() {
		hint := "write to " + j.Dir("checkpoints") + ", which the platform synchronizes where CheckpointConfig says so"
		d.warn(p.Raw.Pos, hint,
			"hyperparameter %s: entrain does not synchronize %s while the job runs", hparams.Quote(p.Name), j.Dir("output/intermediate"))
	}
	if module, _ := s.Getenv("SAGEMAKER_TRAINING_MODULE"); module != "" {
		problems = append(problems, Problem{
			File: "SAGEMAKER_TRAINING_MODULE", Warning: true,
			Message: hparams.Quote(module) + " is not started: it is for the SageMaker Training Toolkit, " +
				"and entrain starts the command or the script itself",
			Hint: "in the Dockerfile: ENV SAGEMAKER_TRAINING_MODULE=",
		})
	}
	return inOrder(problems)
}

const (
	submitParam  = "sagemaker_submit_directory"
	programParam = "sagemaker_program"
	codeArchive  = "sourcedir.tar.gz"
)

// CodePaths are where a job's code may be, and what would have to be done with it: a Snapshot has them in
// Paths.
func CodePaths(j *Job, s *Snapshot) []string {
	paths := []string{path.Join(j.DataDir(), "code", codeArchive)}
	_, submits := j.Params.Get(submitParam)
	program := j.Program(s)
	if program == "" && !submits {
		return paths
	}
	dir := j.CodeDir()
	paths = append(paths, dir, path.Join(dir, "requirements.txt"), path.Join(dir, "setup.py"))
	if program != "" {
		paths = append(paths, path.Join(dir, program))
	}
	return paths
}

// code is where a job's program is, while it is checked.
type code struct {
	*document
	job    *Job
	snap   *Snapshot
	given  bool // a command is given: the program does not count
	script string
}

func checkCode(d *document, j *Job, s *Snapshot, given bool) {
	c := &code{document: d, job: j, snap: s, given: given}
	if program := j.Program(s); program != "" {
		c.script = path.Join(j.CodeDir(), program)
	}
	submit, submits := j.param(submitParam)
	switch {
	case submits && isRemote(hparams.ToolkitText(submit.Value)):
		c.remote(submit)
	case submits && c.isFile(j.CodeDir()):
		c.asked(submit.Raw.Pos, unpackCode, "hyperparameter %s: %s is a file, expected a directory with the code",
			hparams.Quote(submitParam), j.CodeDir())
	case c.script != "" && c.isFile(j.CodeDir()):
		c.document = &document{file: j.CodeDir(), problems: d.problems}
		c.asked(nowhere, unpackCode, "is a file, expected a directory with the code")
	case c.script != "" && !given && c.lacks() != "":
		c.missing()
	case c.hasArchive() && (c.script == "" || c.lacks() != ""):
		c.inChannel()
	}
	c.extras()
}

func isRemote(text string) bool {
	return strings.Contains(text, "://") && !strings.HasPrefix(text, "file://")
}

func (c *code) isFile(path string) bool {
	entry, there := c.snap.Paths[path]
	return there && entry.Problem == "" && entry.Kind == KindFile
}

func (c *code) hasArchive() bool {
	return c.isFile(path.Join(c.job.DataDir(), "code", codeArchive))
}

// lacks says why there is no script to start; empty where there is one.
func (c *code) lacks() string {
	entry, there := c.snap.Paths[c.script]
	switch {
	case !there:
		return "is missing"
	case entry.Kind == KindDir:
		return "is a directory"
	}
	return entry.Problem
}

// asked reports what keeps the job's program from being started, or only that it is not started.
func (c *code) asked(pos int, hint, format string, args ...any) {
	report := c.fail
	if c.given || c.script == "" || c.lacks() == "" {
		report = c.warn
	}
	report(pos, hint, format, args...)
}

const unpackCode = "entrain does not unpack code; " +
	"in the Dockerfile: ADD it to /opt/ml/code, or COPY the directory there"

const bringCode = "in the Dockerfile: COPY the code to /opt/ml/code, or give the command after --"

func (c *code) remote(submit hparams.Param) {
	text := hparams.Quote(maskShapes(hparams.ToolkitText(submit.Value)))
	what := "hyperparameter " + hparams.Quote(submitParam) +
		": the job brings its code by " + text + ", which entrain does not fetch"
	switch {
	case c.given:
		c.asked(submit.Raw.Pos, "", "%s: the command that is given counts", what)
	case c.script == "":
		c.asked(submit.Raw.Pos, bringCode, "%s", what)
	case c.lacks() != "":
		c.asked(submit.Raw.Pos, bringCode, "%s, and %s %s, expected the script there", what, c.script, c.lacks())
	default:
		c.asked(submit.Raw.Pos, "", "%s: the image's own %s runs", what, c.script)
	}
}

// inChannel is an archive in the channel that a network-isolated job brings its code by.
func (c *code) inChannel() {
	d := &document{file: InputDataFile, text: string(c.snap.Files[InputDataFile].Data), problems: c.problems}
	pos := nowhere
	if channel, ok := c.job.Channel("code"); ok {
		pos = channel.Pos
	}
	d.warn(pos, unpackCode, "channel \"code\": %s is a file, expected a directory with the code",
		path.Join(c.job.DataDir(), "code", codeArchive))
}

// missing is a program that is nowhere: a Python that says so knows neither who asked for it nor where it
// is from.
func (c *code) missing() {
	pos, hint := nowhere, bringCode
	if c.snap.Caller == CallerContainer { // the platform mounts no more than what it brings
		hint += "\nhint: a mount over " + c.job.Root + " hides the image's code: mount input, model and output, each by itself"
	}
	if c.hasArchive() {
		hint = "channel \"code\" holds " + codeArchive + ", which entrain does not unpack; " + bringCode
	}
	if v, _ := c.snap.Getenv("SAGEMAKER_PROGRAM"); v != "" {
		d := &document{file: "SAGEMAKER_PROGRAM", problems: c.problems}
		d.fail(nowhere, hint, "%s %s, expected the script there", c.script, c.lacks())
		return
	}
	if p, ok := c.job.param(programParam); ok {
		pos = p.Raw.Pos
	}
	c.fail(pos, hint, "hyperparameter %s: %s %s, expected the script there",
		hparams.Quote(programParam), c.script, c.lacks())
}

// extras are files beside the script that the toolkit would install.
func (c *code) extras() {
	if c.given || c.script == "" || c.lacks() != "" {
		return
	}
	for _, extra := range []struct{ name, hint string }{
		{"requirements.txt", "in the Dockerfile: RUN pip install -r /opt/ml/code/requirements.txt"},
		{"setup.py", "in the Dockerfile: RUN pip install /opt/ml/code"},
	} {
		if file := path.Join(c.job.CodeDir(), extra.name); c.isFile(file) {
			d := &document{file: file, problems: c.problems}
			d.warn(nowhere, extra.hint, "is not installed: entrain installs nothing")
		}
	}
}
