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
	e := &env{vars: make([]Var, 0, usual), index: make(map[string]int, usual)}
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
	vars  []Var
	index map[string]int // where each name is in vars
}

// set gives a variable a value.
func (e *env) set(name, value string) { e.setVar(Var{Name: name, Value: value}) }

// setVar sets a variable. The last of equal names counts, as in a Python dict.
func (e *env) setVar(v Var) {
	if strings.ContainsAny(v.Name, "=\x00") { // an environment cannot hold such a name
		v.Name = hparams.ShellName(v.Name)
	}
	if i, again := e.index[v.Name]; again {
		e.vars[i] = v
		return
	}
	e.index[v.Name] = len(e.vars)
	e.vars = append(e.vars, v)
}

// addExtras adds the variables that the drivers have and the toolkit lacks. Rank and leader follow Job.Order,
// unlike those of the drivers.
func (e *env) addExtras(j *Job) {
	e.set("SM_HOST_COUNT", strconv.Itoa(len(j.Hosts)))
	e.set("SM_CURRENT_HOST_RANK", strconv.Itoa(j.Rank(j.Host)))
	e.set("SM_MASTER_ADDR", j.Leader())
	e.set("SM_MASTER_PORT", strconv.Itoa(MasterPort))
	e.set("SM_INPUT_DATA_DIR", j.DataDir())
	e.set("SM_OUTPUT_FAILURE", j.Dir("output/failure"))
}

// addModes adds the mode of each channel. A trainer needs it to read SM_CHANNEL_NAME: in Pipe mode that is no
// path but the start of several.
func (e *env) addModes(j *Job) {
	for _, c := range j.Channels {
		e.set("ENTRAIN_CHANNEL_"+strings.ToUpper(c.Name)+"_MODE", string(c.Mode))
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
	for _, v := range e.vars {
		if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(v.Name, p) }) {
			continue
		}
		v.Name = hparams.ShellName(v.Name)
		if _, taken := e.index[v.Name]; !taken {
			e.setVar(v)
		}
	}
}
