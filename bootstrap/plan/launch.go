package plan

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"entrain/contract"
	"entrain/mpi"
)

// The launchers that a job can be started by.
const (
	LauncherAuto = "auto" // MPI where the job asks for it
	LauncherNone = "none" // every host starts its own trainer
	LauncherMPI  = "mpi"
	// LauncherScript prepares all hosts for MPI and runs the command on the leader alone: it calls mpirun by itself.
	LauncherScript = "mpi-script"
)

// Launchers are the words for Options.Launcher, the default first.
func Launchers() []string { return []string{LauncherAuto, LauncherNone, LauncherMPI, LauncherScript} }

// Agent is what starts a launcher's daemons on the other hosts.
type Agent string

// The agents.
const (
	AgentAuto    Agent = "auto"    // the built-in one where there is a cluster key, else OpenSSH where the image has it
	AgentBuiltin Agent = "builtin" // run itself, trusted by the cluster key
	AgentOpenSSH Agent = "openssh" // ssh and sshd, with keys of this job alone
)

// Agents are the words for Options.Agent, the default first.
func Agents() []string {
	return []string{string(AgentAuto), string(AgentBuiltin), string(AgentOpenSSH)}
}

// Launch is how a launcher starts the trainer on all hosts.
type Launch struct {
	mpi.Launch
	Host   string // this one
	Agent  Agent
	Dir    string // private to this user, at the same place on all hosts
	Script bool   // the command calls the launcher by itself
}

// The files in Launch.Dir.
const (
	FileHostfile    = "hostfile"
	FileEnvironment = "environment" // KEY=VALUE, each ended by NUL, for the ranks on this host
	FileRsh         = RshName       // a link to this program
)

// WantsMPI says whether a job is to be started by MPI.
func WantsMPI(job *contract.Job, o Options) bool {
	v, _ := job.Params.Get("sagemaker_mpi_enabled")
	return o.Launcher == LauncherMPI || o.Launcher == LauncherScript || o.Launcher == LauncherAuto && v.Truthy()
}

// newLaunch says how the launcher starts the trainer; nil where this host starts its own, since the job wants none or
// this host is not one of those that train together (the toolkit's rule). The slots are this host's for all, until the
// hosts have met.
func newLaunch(job *contract.Job, snap *contract.Snapshot, o Options) (*Launch, error) {
	together := job.Together()
	if !WantsMPI(job, o) || !slices.Contains(together, job.Host) {
		return nil, nil //nolint:nilnil // no launcher is no error
	}
	if len(together) > 1 {
		if err := o.Rendezvous.fitsMPI(); err != nil {
			return nil, err
		}
	}
	launcher, err := findLauncher(snap)
	if err != nil {
		return nil, err
	}
	agent, err := decideAgent(snap, o, len(together))
	if err != nil {
		return nil, err
	}
	l := &Launch{Host: job.Host, Agent: agent, Script: o.Launcher == LauncherScript, Dir: launchDir(job, snap)}
	l.Launch = mpi.Launch{
		Launcher: launcher, Program: snap.Launcher.Path, Interface: job.Interface, InstanceType: job.InstanceType,
		Agent: l.Dir + "/" + FileRsh, Hostfile: l.Dir + "/" + FileHostfile, Rank: []string{snap.Self, "rank", l.Dir},
	}
	var problems []contract.Problem
	if l.Hosts, err = Hosts(job, o.Slots); err != nil {
		return nil, err
	}
	if _, err := l.Hostfiles(); err != nil {
		return nil, unfit(contract.Problem{File: contract.ResourceFile, Message: err.Error()})
	}
	l.Processes, problems = decideProcesses(job, snap)
	if l.Options, err = customOptions(job); err != nil {
		problems = append(problems, contract.ParamProblem(job, snap, optionsParam, "", err.Error()))
	}
	if len(problems) > 0 {
		return nil, unfit(problems...)
	}
	if o.Mask {
		l.Options = contract.MaskWords(l.Options)
	}
	for _, name := range mpi.EnvNames(l.Options) {
		l.Rank = append(l.Rank, "--keep", name)
	}
	l.Rank = append(l.Rank, "--")
	return l, nil
}

// fitsMPI says what of the rendezvous MPI cannot do without.
func (r RendezvousOptions) fitsMPI() error {
	switch {
	case !r.On:
		return &UsageError{Err: errors.New("--rendezvous off: MPI over several hosts cannot do without the rendezvous\nhint: leave the flag out")}
	case r.Ignore:
		return &UsageError{Err: errors.New("--on-peer-failure ignore: MPI cannot go on without a rank\nhint: leave the flag out")}
	}
	return nil
}

// decideLaunch decides how the trainer is launched, and makes that the plan's command: the launcher on the leader, none elsewhere.
func (p *Plan) decideLaunch(job *contract.Job, snap *contract.Snapshot, o Options, words, args []string) error {
	l, err := newLaunch(job, snap, o)
	if l == nil || err != nil {
		return err
	}
	if name := path.Base(words[0]); !l.Script && (strings.HasPrefix(name, "mpirun") || strings.HasPrefix(name, "mpiexec")) {
		return &UsageError{Err: fmt.Errorf("the command is %s, and --launcher mpi would start it by another %s\nhint: leave it out, or use --launcher %s", name, o.MPIRun, LauncherScript)}
	}
	if p.Stdin != nil {
		return &UsageError{Err: errors.New("--stdin-channel: MPI gives its ranks no common standard input\nhint: let each rank start entrain pipe CHANNEL and read from it")}
	}
	p.Launch = l
	own := append(l.Env(), "MASTER_ADDR="+job.Leader(), "MASTER_PORT="+strconv.Itoa(contract.MasterPort), DirVariable+"="+l.Dir)
	if l.setTrainer(words, args); slices.Contains(l.Trainer, colon) {
		own = append(own, colonVariable+"=:")
	}
	for _, kv := range own {
		if name, _, _ := strings.Cut(kv, "="); !IsSet(p.Command.Env, name) { // else the user knows better
			p.Command.Env = append(p.Command.Env, kv)
			p.Added++
		}
	}
	switch {
	case p.Role != Leader:
		p.Command.Argv = nil
	case !l.Script:
		p.Command.Argv = l.Argv()
	}
	if p.Rendezvous != nil {
		p.Rendezvous.Digests["launcher"] = l.label()
	}
	return nil
}

// IsSet says whether an environment has a variable.
func IsSet(env []string, name string) bool { _, set := contract.Getenv(env, name); return set }

// launchDir is of this job and this user alone.
func launchDir(job *contract.Job, snap *contract.Snapshot) string {
	return fmt.Sprintf("/tmp/entrain-%d-%s", snap.UID, digest(append([]string{job.ARN, job.Name}, job.Order()...)...))
}

const installMPI = "in the Dockerfile: RUN apt-get update && " +
	"apt-get install -y --no-install-recommends openmpi-bin, or name it by --mpirun"

// findLauncher takes the launcher from the photograph, with the version that it has told.
func findLauncher(snap *contract.Snapshot) (mpi.Launcher, error) {
	const notExecutable, notFound = 126, 127
	p := cmp.Or(snap.Launcher, &contract.Program{Path: "mpirun", Problem: "was not looked for"})
	if p.Found {
		return mpi.Launcher{}, &LauncherError{
			Program: "the MPI launcher", Code: notExecutable, Problem: p.Problem,
			Hint: "try it by hand in the container: " + p.Path + " --version",
		}
	}
	if p.Problem != "" {
		return mpi.Launcher{}, &LauncherError{Program: p.Path, Code: notFound, Problem: p.Problem, Hint: installMPI}
	}
	launcher, err := mpi.Identify(p.Version)
	if err != nil {
		return mpi.Launcher{}, &UsageError{Err: fmt.Errorf("%s --version: %w", p.Path, err)}
	}
	return launcher, nil
}

// decideAgent finds what can start daemons elsewhere, and says at once where nothing can.
func decideAgent(snap *contract.Snapshot, o Options, hosts int) (Agent, error) {
	_, keyed := snap.Getenv(KeyVariable)
	keyed = keyed || snap.ClusterKey.Data != nil
	openssh := snap.Programs["ssh"] && snap.Programs["sshd"]
	const key = "a cluster key (in the Dockerfile: RUN entrain keygen " + KeyFile + ")"
	const ssh = "OpenSSH (in the Dockerfile: RUN apt-get update && apt-get install -y --no-install-recommends openssh-client openssh-server)"
	switch {
	case hosts < 2 || o.Agent != AgentOpenSSH && keyed:
		return AgentBuiltin, nil
	case o.Agent == AgentBuiltin:
		return "", &UsageError{Err: errors.New("--agent builtin: the hosts have no key to trust each other by; it needs " + key)}
	case openssh:
		return AgentOpenSSH, nil
	case o.Agent == AgentOpenSSH:
		return "", &UsageError{Err: errors.New("--agent openssh: ssh or sshd is missing; it needs " + ssh)}
	}
	return "", &UsageError{Err: errors.New("MPI cannot reach the other hosts: it needs " + key + ", or " + ssh)}
}

const (
	processesParam = "sagemaker_mpi_num_processes"
	optionsParam   = "sagemaker_mpi_custom_mpi_options"
)

// DirVariable tells where Launch.Dir is, for entrain rsh.
const DirVariable = "ENTRAIN_LAUNCH_DIR"

// colon stands for a word that every mpirun would take for the end of a program's words. There is no other way to give it one.
const (
	colonVariable = "ENTRAIN_COLON"
	colon         = "${" + colonVariable + "}"
)

// RshName is what entrain rsh is called where a launcher takes no more than one word.
const RshName = "entrain-rsh"
