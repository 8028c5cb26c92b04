package plan

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"entrain/contract"
	"entrain/mpi"
)

// decideRanks decides how entrain itself starts the ranks of this host. A host that is not one of those that
// train together runs the command once.
func (p *Plan) decideRanks(job *contract.Job, snap *contract.Snapshot, o Options) error {
	together := p.Together
	if !together.IsMember() {
		return nil
	}
	if err := p.checkRanks(together, o, p.words); err != nil {
		return err
	}
	l := &Launch{Own: true, Host: job.Host, Dir: launchDir(job, snap) + "-ranks", Tag: o.TagOutput}
	l.Hosts = together.Hosts
	l.Trainer = slices.Clone(p.words)
	if v, _ := snap.Getenv("RUN_NEURON_PARALLEL_COMPILE"); v == "1" {
		l.Trainer = slices.Concat([]string{neuronCompiler}, p.words)
		p.Command.Argv = slices.Concat([]string{neuronCompiler}, p.Command.Argv)
	}
	for _, arg := range p.args {
		l.Trainer = append(l.Trainer, escapeReferences(arg))
	}
	p.Launch, p.words = l, nil
	p.addVariables(l.ownVariables(job, together))
	p.showFirstRank(together)
	return nil
}

// neuronCompiler is the program that compiles a training ahead for the Neuron accelerators. The toolkit puts
// it in front of torchrun if RUN_NEURON_PARALLEL_COMPILE is 1.
const neuronCompiler = "neuron_parallel_compile"

// showFirstRank gives the command the environment of this host's first rank, as far as it is known. RankEnv
// gives every rank its own numbers.
func (p *Plan) showFirstRank(t Together) {
	p.replaceVariables(t.Place(0).variables(p.Launch.Dir))
	if !t.Met {
		p.Remarks = append(p.Remarks, fmt.Sprintf("RANK, WORLD_SIZE and the numbers made of them are known once "+
			"the hosts have met; entrain plan shows them as if every host had %s", plural(t.Slots, "slot")))
	}
}

// replaceVariables adds variables to the command's environment in place of those of the same name.
func (p *Plan) replaceVariables(vars []string) {
	inherited, kept := len(p.Command.Env)-p.Added, 0
	env := make([]string, 0, len(p.Command.Env)+len(vars))
	for i, kv := range p.Command.Env {
		if name, _, _ := strings.Cut(kv, "="); IsSet(vars, name) {
			continue
		}
		env = append(env, kv)
		if i < inherited {
			kept++
		}
	}
	p.Command.Env = append(env, vars...)
	p.Added = len(p.Command.Env) - kept
}

// checkRanks reports choices with which entrain cannot start the ranks.
func (p *Plan) checkRanks(t Together, o Options, words []string) error {
	if len(t.Hosts) > 1 {
		if err := o.Rendezvous.checkForRanks("--launcher " + LauncherRanks); err != nil {
			return err
		}
	}
	if starter := starterOf(words); starter != "" {
		keeps := LauncherTorchrun
		if strings.HasPrefix(starter, "mpi") || strings.HasSuffix(starter, "terun") ||
			strings.HasPrefix(starter, "horovodrun") {
			keeps = LauncherScript
		}
		return &UsageError{Err: fmt.Errorf("the command is %s, which would be started %s on this host\n"+
			"hint: leave %s out%s, since --launcher %s starts the ranks; or use --launcher %s",
			starter, plural(t.Slots, "time"), starter, butKeep(starter), LauncherRanks, keeps)}
	}
	if t.Slots == 1 && (p.Stdin != nil || p.Feeds != nil) {
		return &UsageError{Err: errors.New("--stdin-channel and --feed: entrain streams no channel to a rank, " +
			"not even to the only one of a host\nhint: let the rank itself read the channel: entrain pipe CHANNEL")}
	}
	return p.refuseStreams(fmt.Sprintf("the %d ranks of this host have", t.Slots))
}

// plural writes a number of things.
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// butKeep says what stays of a starter that Python runs. It is empty for a program of its own.
func butKeep(starter string) string {
	python, _, isPython := strings.Cut(starter, " ")
	if !isPython {
		return ""
	}
	return " and write " + python + " in front of the script"
}

// channelOfRank is the hint how each rank reads a Pipe-mode channel.
const channelOfRank = "hint: give each rank a channel of its own, and let it read that channel: " +
	"entrain pipe train_${ENTRAIN_LOCAL_RANK}"

// checkForRanks reports a choice with which ranks on several hosts cannot work together.
func (r RendezvousOptions) checkForRanks(what string) error {
	switch {
	case !r.On:
		return &UsageError{Err: errors.New("--rendezvous off: " +
			what + " over several hosts cannot do without the rendezvous\nhint: leave the flag out")}
	case r.Ignore:
		return &UsageError{Err: errors.New("--on-peer-failure ignore: " +
			what + " cannot go on without a rank\nhint: leave the flag out")}
	}
	return nil
}

// ownVariables returns the variables that are the same for all ranks of this host, as KEY=VALUE.
func (l *Launch) ownVariables(job *contract.Job, t Together) []string {
	vars := append(t.rankDefaults(job.Name), DirVariable+"="+l.Dir)
	if len(t.Hosts) > 1 {
		return vars // addressVariables has those by which the hosts find each other
	}
	const alone = "127.0.0.1"
	return append(vars,
		"MASTER_ADDR="+alone, "MASTER_PORT="+strconv.Itoa(contract.MasterPort), "NODE_RANK=0",
		"JAX_COORDINATOR_ADDRESS="+alone+":"+strconv.Itoa(coordinatorPort))
}

// rankDefaults returns the variables of torchrun that are no numbers. torch takes a process with
// TORCHELASTIC_RUN_ID for one of torchrun, as Lightning does; and without its agent, rank 0 itself serves
// MASTER_PORT.
func (t Together) rankDefaults(job string) []string {
	vars := []string{
		"ROLE_NAME=default", "TORCHELASTIC_RUN_ID=" + orNone(job), "TORCHELASTIC_USE_AGENT_STORE=False",
		"TORCH_NCCL_ASYNC_ERROR_HANDLING=1", "PYTHONUNBUFFERED=1",
	}
	if t.Slots > 1 {
		vars = append(vars, "OMP_NUM_THREADS=1")
	}
	return vars
}

// orNone is the job's name, or torchrun's own word for a run without a name.
func orNone(name string) string {
	if name == "" {
		return "none"
	}
	return name
}

// TagOf returns the tag of a rank's lines, if the user wants tags, and else the empty text.
func TagOf(rank int, wanted bool) string {
	if !wanted {
		return ""
	}
	return fmt.Sprintf("[rank %d] ", rank)
}

// RankPlace is the place of a rank: among all, among those of its host, and that of its host among the hosts
// that train together.
type RankPlace struct {
	mpi.Rank
	Node, Nodes int
}

// Place returns the place of one of this host's ranks, from 0. It counts only if Met is true.
func (t Together) Place(local int) RankPlace {
	return RankPlace{
		Rank: mpi.Rank{Rank: t.Base() + local, Size: t.World(), LocalRank: local, LocalSize: t.Slots},
		Node: t.Index, Nodes: len(t.Hosts),
	}
}

// PlaceIn returns the place of a rank that a launcher has started. Its host's variables say the place of the
// host.
func PlaceIn(host []string, r mpi.Rank) RankPlace {
	number := func(name string, without int) int {
		text, _ := contract.Getenv(host, name)
		if n, err := strconv.Atoi(text); err == nil && n >= 0 {
			return n
		}
		return without
	}
	return RankPlace{r, number(nodeRankVariable, 0), number(nodesVariable, 1)}
}

// RankEnv returns the environment of a rank: that of its host, with the rank's own variables in place of
// variables of the same name. Dir is the directory for the rank's error file; without one there is no such
// file.
func RankEnv(host []string, at RankPlace, dir string) []string {
	own := at.variables(dir)
	if !IsSet(host, ownRestartVariable) {
		own = append(own, restartCountVariable+"=0", maxRestartsVariable+"=0")
	}
	env := make([]string, 0, len(host)+len(own))
	for _, kv := range host {
		if name, _, _ := strings.Cut(kv, "="); !IsSet(own, name) && name != ErrorFileVariable {
			env = append(env, kv)
		}
	}
	return append(env, own...)
}

// variables returns the variables that differ between ranks, as KEY=VALUE.
func (at RankPlace) variables(dir string) []string {
	set := func(name string, n int) string { return name + "=" + strconv.Itoa(n) }
	vars := append(at.Env(),
		set("GROUP_RANK", at.Node), set("GROUP_WORLD_SIZE", at.Nodes),
		set("ROLE_RANK", at.Rank.Rank), set("ROLE_WORLD_SIZE", at.Size),
		set("ENTRAIN_RANK", at.Rank.Rank), set("ENTRAIN_LOCAL_RANK", at.LocalRank),
		set("JAX_PROCESS_ID", at.Rank.Rank), set("JAX_NUM_PROCESSES", at.Size),
	)
	if at.LocalSize > 1 {
		vars = append(vars, set("JAX_LOCAL_DEVICE_IDS", at.LocalRank))
	}
	if dir != "" {
		vars = append(vars, ErrorFileVariable+"="+ErrorFile(dir, at.Rank.Rank))
	}
	return vars
}

// ErrorFileVariable names the file in which a program of torch says why it fails.
const ErrorFileVariable = "TORCHELASTIC_ERROR_FILE"

// ErrorFile is the path of the file in which a rank may say why it fails. torch's @record writes it.
func ErrorFile(dir string, rank int) string { return fmt.Sprintf("%s/error-%d.json", dir, rank) }

// RankCommand returns the command of one of this host's ranks, where the place of the rank is known.
func (p *Plan) RankCommand(at RankPlace, dir string) (Command, error) {
	env := RankEnv(p.Command.Env, at, dir)
	argv, err := ExpandWords(p.Launch.Trainer, env)
	return Command{Argv: argv, Env: env, Dir: p.Command.Dir}, err
}

// firstRankEnv returns the environment by which the words of the command are checked and shown: that of this
// host's first rank, if ranks are started. Every rank expands the words anew.
func (p *Plan) firstRankEnv(job *contract.Job, o Options) []string {
	if !p.Together.IsMember() || !startsRanks(job, o) {
		return p.Command.Env
	}
	return RankEnv(p.Command.Env, p.Together.Place(0), "")
}
