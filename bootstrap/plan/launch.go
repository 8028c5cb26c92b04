package plan

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"entrain/contract"
	"entrain/mpi"
)

// The values of Options.Launcher.
const (
	LauncherAuto = "auto" // the one that the job asks for, else none
	LauncherNone = "none" // every host starts its own trainer
	LauncherMPI  = "mpi"  // the leader starts the trainer on all hosts by mpirun
	// LauncherScript prepares all hosts for MPI and runs the command on the leader only. The command calls
	// mpirun.
	LauncherScript = "mpi-script"
	LauncherRanks  = "ranks" // every host starts the trainer once for each of its slots
)

// Launchers returns the values of Options.Launcher, the default first.
func Launchers() []string {
	return []string{LauncherAuto, LauncherNone, LauncherMPI, LauncherScript, LauncherRanks, LauncherTorchrun}
}

// Agent is a way to start a launcher's daemons on the other hosts.
type Agent string

// The agents.
const (
	// AgentAuto is the built-in agent if there is a cluster key, else OpenSSH if the image has it.
	AgentAuto    Agent = "auto"
	AgentBuiltin Agent = "builtin" // entrain itself; the hosts trust each other by the cluster key
	AgentOpenSSH Agent = "openssh" // ssh and sshd, with keys that are made for this job only
)

// Agents returns the values of Options.Agent, the default first.
func Agents() []string {
	return []string{string(AgentAuto), string(AgentBuiltin), string(AgentOpenSSH)}
}

// Launch says how a launcher starts the trainer on all hosts.
type Launch struct {
	mpi.Launch
	Host   string // the name of this host
	Agent  Agent
	Dir    string // a directory that only this user can enter; it has the same path on all hosts
	Script bool   // the command calls the launcher by itself
	Tag    bool   // a tag with the rank stands in front of each line of output
	// Own says that entrain itself starts the ranks of its host. Such a launch has the Hosts and the Trainer of
	// mpi.Launch alone.
	Own bool
	// Timeout is how long after the release of the hosts the ranks of each host may take to begin. 0 means for
	// ever: a script may do other things first.
	Timeout time.Duration
}

// The names of the files in Launch.Dir.
const (
	FileHostfile    = "hostfile"
	FileEnvironment = "environment" // the environment of this host's ranks: KEY=VALUE, each ended by NUL
	FileRsh         = RshName       // a link to entrain
)

// newLaunch says how the launcher starts the trainer. It returns nil if this host starts its own trainer:
// because the job wants no launcher, or because this host is not one of those that train together (a rule of
// the toolkit). The slots of this host count for all hosts, until the rendezvous tells the others' slots.
func newLaunch(job *contract.Job, snap *contract.Snapshot, o Options) (*Launch, error) {
	names := job.Together()
	if !WantsMPI(job, o) || !slices.Contains(names, job.Host) {
		return nil, nil //nolint:nilnil // no launcher is no error
	}
	if len(names) > 1 {
		if err := o.Rendezvous.checkForRanks("MPI"); err != nil {
			return nil, err
		}
	}
	launcher, err := findLauncher(snap)
	if err != nil {
		return nil, err
	}
	agent, err := decideAgent(snap, o, len(names))
	if err != nil {
		return nil, err
	}
	l := &Launch{
		Host: job.Host, Agent: agent, Dir: launchDir(job, snap), Tag: o.TagOutput,
		Script: o.Launcher == LauncherScript,
	}
	if !l.Script {
		l.Timeout = o.LaunchTimeout
	}
	l.Launch = mpi.Launch{
		Launcher: launcher, Program: snap.Launcher.Path,
		Interface: job.Interface, EFA: contract.EFA(job.InstanceType) != nil,
		Agent: l.Dir + "/" + FileRsh, Hostfile: l.Dir + "/" + FileHostfile,
		Rank: []string{snap.Self, "rank", l.Dir},
	}
	together, err := o.together(job, snap)
	if err != nil {
		return nil, err
	}
	l.Hosts = together.Hosts
	if _, err := l.Hostfiles(); err != nil {
		return nil, invalid(contract.Problem{File: contract.ResourceFile, Message: err.Error()})
	}
	if l.Processes, l.Options, err = launchParams(job); err != nil {
		return nil, invalidParams(job, snap, err)
	}
	if o.Mask {
		l.Options = contract.MaskWords(l.Options)
	}
	for _, name := range mpi.EnvNames(l.Options) {
		l.Rank = append(l.Rank, "--keep", name)
	}
	l.Rank = append(l.Rank, l.tagWords()...)
	return l, nil
}

// tagWords ends the words of entrain rank before the trainer's command.
func (l *Launch) tagWords() []string {
	if l.Tag {
		return []string{"--tag", "--"}
	}
	return []string{"--"}
}

// decideLaunch decides how a launcher starts the trainer, and changes the plan's command accordingly: the
// leader runs the launcher, and the other hosts run no command.
func (p *Plan) decideLaunch(job *contract.Job, snap *contract.Snapshot, o Options) error {
	switch chosenLauncher(job, o) {
	case LauncherRanks:
		return p.decideRanks(job, snap, o)
	case LauncherTorchrun:
		p.decideTorchrun(job, snap)
	}
	if o.TagOutput && !startsRanks(job, o) {
		p.Notes = append(p.Notes, "--tag-output does nothing: entrain starts no ranks here")
	}
	l, err := newLaunch(job, snap, o)
	if l == nil || err != nil {
		return err
	}
	name := path.Base(p.words[0])
	callsMPI := strings.HasPrefix(name, "mpirun") || strings.HasPrefix(name, "mpiexec")
	if callsMPI && !l.Script {
		return &UsageError{Err: fmt.Errorf("the command is %s, and --launcher mpi would start it by another %s\n"+
			"hint: remove it from the command, or use --launcher %s", name, o.MPIRun, LauncherScript)}
	}
	if err := p.refuseStreams("MPI gives its ranks"); err != nil {
		return err
	}
	p.Launch = l
	l.setTrainer(p.words, p.args)
	p.addVariables(append(l.variables(job), p.Together.rankDefaults(job.Name)...))
	switch {
	case p.Role != Leader:
		p.Command.Argv, p.words = nil, nil
	case !l.Script:
		p.Command.Argv, p.words = l.Argv(), nil
	}
	if p.Rendezvous != nil {
		p.Rendezvous.Digests["launcher"] = l.summary()
	}
	return nil
}

// variables returns the variables that the launcher and its ranks need, as KEY=VALUE.
func (l *Launch) variables(job *contract.Job) []string {
	vars := append(l.Env(), "MASTER_ADDR="+job.Leader(), "MASTER_PORT="+strconv.Itoa(contract.MasterPort),
		DirVariable+"="+l.Dir)
	if slices.Contains(l.Trainer, colonReference) {
		vars = append(vars, colonVariable+"=:")
	}
	return vars
}

// addVariables adds variables to the command's environment. A variable that the user has set stays as it is,
// and one that contradicts it is not added.
func (p *Plan) addVariables(vars []string) {
	for _, kv := range vars {
		name, _, _ := strings.Cut(kv, "=")
		if !IsSet(p.Command.Env, name) && !IsSet(p.Command.Env, mpi.Counterpart(name)) {
			p.Command.Env = append(p.Command.Env, kv)
			p.Added++
		}
	}
}

// IsSet says whether an environment has a variable.
func IsSet(env []string, name string) bool { _, set := contract.Getenv(env, name); return set }

// launchDir is the path of a directory that no other job and no other user has.
func launchDir(job *contract.Job, snap *contract.Snapshot) string {
	id := digest(append([]string{job.ARN, job.Name}, job.Order()...)...)
	return fmt.Sprintf("/tmp/entrain-%d-%s", snap.UID, id)
}

const aptInstall = "in the Dockerfile: RUN apt-get update && apt-get install -y --no-install-recommends "

// findLauncher identifies the launcher in the snapshot by the version that it has printed.
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
		return mpi.Launcher{}, &LauncherError{
			Program: p.Path, Code: notFound, Problem: p.Problem,
			Hint: aptInstall + "openmpi-bin, or name it by --mpirun",
		}
	}
	launcher, err := mpi.Identify(p.Version)
	if err != nil {
		return mpi.Launcher{}, &UsageError{Err: fmt.Errorf("%s --version: %w", p.Path, err)}
	}
	return launcher, nil
}

// decideAgent chooses the agent. It returns a *UsageError if no agent can start a daemon on another host.
func decideAgent(snap *contract.Snapshot, o Options, hosts int) (Agent, error) {
	_, hasKey := snap.Getenv(KeyVariable)
	hasKey = hasKey || snap.ClusterKey.Data != nil
	hasOpenSSH := snap.Programs["ssh"] && snap.Programs["sshd"]
	const needsKey = "it needs a cluster key (in the Dockerfile: RUN entrain keygen " + KeyFile + ")"
	const openSSH = "OpenSSH (" + aptInstall + "openssh-client openssh-server)"
	switch {
	case hosts < 2 || o.Agent != AgentOpenSSH && hasKey:
		return AgentBuiltin, nil
	case o.Agent == AgentBuiltin:
		return "", &UsageError{Err: errors.New("--agent builtin: " +
			"the hosts have no key to trust each other by; " + needsKey)}
	case hasOpenSSH:
		return AgentOpenSSH, nil
	case o.Agent == AgentOpenSSH:
		return "", &UsageError{Err: errors.New("--agent openssh: ssh or sshd is missing; it needs " + openSSH)}
	}
	return "", &UsageError{Err: errors.New("MPI cannot reach the other hosts: " + needsKey + ", or " + openSSH)}
}

// DirVariable is the name of the variable that holds the path Launch.Dir, for entrain rsh.
const DirVariable = "ENTRAIN_LAUNCH_DIR"

// RshName is the name by which a launcher calls entrain rsh if it takes only one word for its agent.
const RshName = "entrain-rsh"
