package contract

import (
	"slices"
	"strconv"
	"strings"

	"entrain/hparams"
)

// EnvStyle names a set of variables for the trainer.
type EnvStyle string

// The styles of the environment.
const (
	EnvToolkit EnvStyle = "toolkit" // those of the SageMaker Training Toolkit, and some that it lacks
	EnvDrivers EnvStyle = "drivers" // those of the container drivers of SDK v3
	EnvNone    EnvStyle = "none"    // no variables
)

// EnvStyles lists the names of all styles, the default first.
func EnvStyles() []string { return []string{string(EnvToolkit), string(EnvDrivers), string(EnvNone)} }

// Var is one variable. Param is the hyperparameter that gives its value, and empty if none does.
type Var struct{ Name, Value, Param string }

// Env returns the variables that the trainer gets in addition to those of the container: in a fixed order,
// each name once. Args holds the command-line words that the hyperparameters became.
func Env(j *Job, s *Snapshot, style EnvStyle, args []string) []Var {
	const usual = 64 // the usual number of variables
	e := &env{snap: s, vars: make([]Var, 0, usual), index: make(map[string]int, usual)}
	switch style {
	case EnvToolkit:
		e.addToolkit(j, s, args)
		e.addExtras(j)
		e.addModes(j)
	case EnvDrivers:
		e.addDrivers(j, s)
		e.addModes(j)
	case EnvNone:
		return nil
	}
	e.addAliases()
	return e.vars
}

type env struct {
	snap  *Snapshot
	vars  []Var
	index map[string]int // where each name is in vars
	// nameless holds the variables with a name that no environment can hold. They have only their second name.
	nameless []Var
}

// set gives a variable a value.
func (e *env) set(name, value string) { e.setVar(Var{Name: name, Value: value}) }

// setVar sets a variable. The last of equal names counts, as in a Python dict.
func (e *env) setVar(v Var) {
	if !isVariableName(v.Name) {
		e.nameless = append(e.nameless, v)
		return
	}
	if i, again := e.index[v.Name]; again {
		e.vars[i] = v
		return
	}
	e.index[v.Name] = len(e.vars)
	e.vars = append(e.vars, v)
}

// setOwn sets a variable that only entrain has. It gives way to the references' variables, and to those of
// the container: whoever made the image knows what the trainer reads.
func (e *env) setOwn(v Var) {
	_, taken := e.index[v.Name]
	if _, given := e.snap.Getenv(v.Name); !taken && !given {
		e.setVar(v)
	}
}

// isVariableName tells whether an environment can hold a name.
func isVariableName(name string) bool { return !strings.ContainsAny(name, "=\x00") }

// addExtras adds the variables that the drivers have and the toolkit lacks. Rank and leader follow Job.Order,
// unlike those of the drivers.
func (e *env) addExtras(j *Job) {
	for _, v := range []Var{
		{Name: "SM_HOST_COUNT", Value: strconv.Itoa(len(j.Hosts))},
		{Name: "SM_CURRENT_HOST_RANK", Value: strconv.Itoa(j.Rank(j.Host))},
		{Name: "SM_MASTER_ADDR", Value: j.Leader()},
		{Name: "SM_MASTER_PORT", Value: strconv.Itoa(MasterPort)},
		{Name: "SM_INPUT_DATA_DIR", Value: j.DataDir()},
		{Name: "SM_OUTPUT_FAILURE", Value: j.Dir("output/failure")},
	} {
		e.setOwn(v)
	}
}

// addModes adds the mode of each channel. A trainer needs it to read SM_CHANNEL_NAME: in Pipe mode that is no
// path but the start of several.
func (e *env) addModes(j *Job) {
	for _, c := range j.Channels {
		e.setOwn(Var{Name: "ENTRAIN_CHANNEL_" + strings.ToUpper(c.Name) + "_MODE", Value: string(c.Mode)})
	}
}

// channelNames returns the names of the channels in the order of the file.
func (j *Job) channelNames() []string {
	names := make([]string, len(j.Channels))
	for i, c := range j.Channels {
		names[i] = c.Name
	}
	return names
}

// resource returns a value of resourceconfig.json unchanged, even if it is null. It returns the fallback if
// the file lacks the key.
func (j *Job) resource(key, fallback string) hparams.Value {
	if v, ok := j.Resource.Get(key); ok {
		return v
	}
	return hparams.Str(fallback)
}

// defaultLogLevel is Python's logging.INFO: the default of both the toolkit and the drivers.
const defaultLogLevel = 20

// MasterPort is the TCP port where the ranks of a trainer meet. The toolkit and the drivers both use it.
const MasterPort = 7777

// addAliases gives each variable of a hyperparameter or a channel a second name in [A-Z0-9_] if a shell
// cannot read its first. A variable that already has that name keeps it.
func (e *env) addAliases() {
	prefixes := []string{"SM_HP_", "SM_CHANNEL_", "ENTRAIN_CHANNEL_"}
	for _, v := range slices.Concat(e.nameless, e.vars) {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(v.Name, p) }) {
			v.Name = hparams.ShellName(v.Name)
			e.setOwn(v)
		}
	}
}
