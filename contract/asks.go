package contract

import (
	"path"
	"strings"

	"entrain/hparams"
)

// Call says how the trainer will be started. CheckAsks needs it to know which wishes of the job are met.
type Call struct {
	Alone bool // the user chose that each host starts the trainer by itself
	// Starter names what starts the trainer in all its processes, such as MPI; empty for nothing.
	Starter string
	Command bool // the user gave the trainer's command, so the job's own program does not count
	// Installs says that what the program needs is installed before it starts.
	Installs bool
}

// CheckAsks returns a problem for each thing that the job asks for and that nothing would do.
func CheckAsks(j *Job, s *Snapshot, c Call) []Problem {
	var problems []Problem
	d := configDocument(s, HyperparametersFile, &problems)
	if !c.Alone {
		checkDistributions(d, j, c.Starter)
		checkGroups(d, j)
	}
	checkCode(d, j, s, c)
	if p, ok := j.Params.Find("sagemaker_s3_output"); ok && p.Value.Truthy() {
		hint := "write to " + j.Dir("checkpoints") +
			", which the platform synchronizes where CheckpointConfig says so"
		d.warn(p.Raw.Pos, hint, "hyperparameter %s: entrain does not synchronize %s while the job runs",
			hparams.Quote(p.Name), j.Dir("output/intermediate"))
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

// The names by which a job says where its code is.
const (
	submitParam  = "sagemaker_submit_directory"
	programParam = "sagemaker_program"
	programVar   = "SAGEMAKER_PROGRAM" // counts more than programParam
	codeChannel  = "code"              // brings the code to a job without network access
	codeArchive  = "sourcedir.tar.gz"
)

// CodePaths returns the paths where a job's code may be, and those of the files that say how to install it.
// Snapshot.Paths says what is there.
func CodePaths(j *Job, s *Snapshot) []string {
	paths := []string{j.archivePath()}
	_, submits := j.Params.Get(submitParam)
	program := j.Program(s)
	if program == "" && !submits {
		return paths
	}
	if submit, _ := j.Params.Get(submitParam); isArchive(submit.Text) {
		paths = append(paths, submit.Text)
	}
	for _, dir := range j.codeDirs(s) {
		paths = append(paths, dir, path.Join(dir, requirementsFile), path.Join(dir, setupFile))
		if program != "" {
			paths = append(paths, path.Join(dir, program))
		}
	}
	if program != "" {
		paths = append(paths, shellPath)
	}
	return paths
}

// archivePath returns the path of an archive in the channel "code".
func (j *Job) archivePath() string { return path.Join(j.DataDir(), codeChannel, codeArchive) }

// codeCheck looks for the job's program.
type codeCheck struct {
	*document
	job    *Job
	snap   *Snapshot
	given  bool   // the user gave a command, so the job's own program does not count
	script string // the path of the program; empty if the job names none

	installs bool // what the program needs is installed before it starts
}

func checkCode(d *document, j *Job, s *Snapshot, call Call) {
	given := call.Command
	c := &codeCheck{document: d, job: j, snap: s, given: given, installs: call.Installs}
	if program := j.Program(s); program != "" {
		c.script = path.Join(j.CodeDir(s), program)
	}
	submit, submits := j.Params.Find(submitParam)
	source := j.Source(s)
	switch {
	case submits && isRemote(hparams.ToolkitText(submit.Value)):
		c.reportRemote(submit)
	case source != nil && !given:
		c.checkSource(source)
	case submits && c.isFile(j.CodeDir(s)):
		c.report(submit.Raw.Pos, unpackCode, "hyperparameter %s: %s is a file, expected a directory with the code",
			hparams.Quote(submitParam), j.CodeDir(s))
	case c.script != "" && c.isFile(j.CodeDir(s)):
		c.document = &document{file: j.CodeDir(s), problems: d.problems}
		c.report(nowhere, unpackCode, "is a file, expected a directory with the code")
	case c.script != "" && !given && c.checkScript():
	case c.hasArchive() && (c.script == "" || c.scriptProblem() != ""):
		c.warnOfArchive()
	}
	c.warnOfExtras()
}

// checkScript reports a program that cannot be started, and says whether it has.
func (c *codeCheck) checkScript() (reported bool) {
	switch {
	case c.scriptProblem() != "":
		c.failMissing()
	case c.isUnrunnable():
		c.failUnrunnable()
	case c.isMarked():
		c.failMarked()
	default:
		return false
	}
	return true
}

func isRemote(text string) bool {
	return strings.Contains(text, "://") && !strings.HasPrefix(text, "file://")
}

func (c *codeCheck) isFile(path string) bool {
	entry, exists := c.snap.Paths[path]
	return exists && entry.Problem == "" && entry.Kind == KindFile
}

func (c *codeCheck) hasArchive() bool {
	return c.isFile(c.job.archivePath())
}

// scriptProblem says why the script cannot be started. It is empty if the script is there.
func (c *codeCheck) scriptProblem() string { return c.pathProblem(c.script) }

// pathProblem says why there is no file at a path that can be read. It is empty if there is one.
func (c *codeCheck) pathProblem(path string) string {
	entry, exists := c.snap.Paths[path]
	switch {
	case !exists:
		return "is missing"
	case entry.Kind == KindDir:
		return "is a directory"
	case entry.Problem == "" && entry.Kind != KindFile:
		return "is a FIFO, a socket or a device" // reading a FIFO would wait for ever
	}
	return entry.Problem
}

// report adds an error if the job's program would be started and is missing. Otherwise it adds a warning.
func (c *codeCheck) report(pos int, hint, format string, args ...any) {
	report := c.fail
	if c.given || c.script == "" || c.scriptProblem() == "" {
		report = c.warn
	}
	report(pos, hint, format, args...)
}

const unpackCode = "entrain unpacks a .tar.gz or .tgz; in the Dockerfile: COPY the directory to /opt/ml/code"

const nameProgram = "to unpack and start it, leave the command out, and name its script by " +
	"SAGEMAKER_PROGRAM or the hyperparameter sagemaker_program"

const bringCode = "in the Dockerfile: COPY the code to /opt/ml/code, or give the command after --"

// reportRemote reports a job whose code is at an address such as s3://.
func (c *codeCheck) reportRemote(submit hparams.Param) {
	text := hparams.Quote(maskShapes(hparams.ToolkitText(submit.Value)))
	what := "hyperparameter " + hparams.Quote(submitParam) +
		": the job brings its code by " + text + ", which entrain does not fetch"
	switch {
	case c.given:
		c.report(submit.Raw.Pos, "", "%s: the command that is given counts", what)
	case c.script == "":
		c.report(submit.Raw.Pos, bringCode, "%s", what)
	case c.scriptProblem() != "":
		c.report(submit.Raw.Pos, bringCode, "%s, and %s %s, expected the script there",
			what, c.script, c.scriptProblem())
	default:
		c.report(submit.Raw.Pos, "", "%s: the image's own %s runs", what, c.script)
	}
}

// warnOfArchive warns of an archive in the channel "code". A job without network access brings its code
// there.
func (c *codeCheck) warnOfArchive() {
	d := configDocument(c.snap, InputDataFile, c.problems)
	pos := nowhere
	if channel, ok := c.job.Channel(codeChannel); ok {
		pos = channel.Pos
	}
	d.warn(pos, nameProgram, "channel \"code\": %s is not unpacked",
		c.job.archivePath())
}

// failMissing reports a missing program at the place that asks for it. Python would only say that it cannot
// open the file.
func (c *codeCheck) failMissing() {
	hint := bringCode
	// The platform mounts only the directories that it fills. A user with docker run may mount over all of
	// Root.
	if c.snap.Caller == CallerContainer {
		hint += "\nhint: a mount over " + c.job.Root +
			" hides the image's code: mount input, model and output, each by itself"
	}
	if c.script == path.Join(c.job.CodeChannel(c.snap), c.job.Program(c.snap)) {
		hint = `put it into the channel "code", or give the command after --`
	}
	if c.hasArchive() {
		dir := c.job.CodeDir(c.snap)
		hint = c.job.archivePath() + " is not unpacked: " + dir + " has files of its own, or the " +
			"hyperparameter " + hparams.Quote(submitParam) + " names another place"
	}
	c.failScript(hint, c.script+" "+c.scriptProblem()+", expected the script there")
}

// failScript adds an error at the place that asks for the script.
func (c *codeCheck) failScript(hint, message string) {
	if v, _ := c.snap.Getenv(programVar); v != "" {
		d := &document{file: programVar, problems: c.problems}
		d.fail(nowhere, hint, "%s", message)
		return
	}
	pos := nowhere
	if p, ok := c.job.Params.Find(programParam); ok {
		pos = p.Raw.Pos
	}
	c.fail(pos, hint, "hyperparameter %s: %s", hparams.Quote(programParam), message)
}
