package contract

import (
	"strconv"
	"strings"

	"entrain/hparams"
)

// EnvStyle is whose variables a trainer gets.
type EnvStyle string

// The styles of the environment.
const (
	EnvToolkit EnvStyle = "toolkit" // of the SageMaker Training Toolkit, and what it lacks
	EnvDrivers EnvStyle = "drivers" // of the container drivers of SDK v3
	EnvNone    EnvStyle = "none"    // none at all
)

// EnvStyles are all styles, the default first.
func EnvStyles() []string { return []string{string(EnvToolkit), string(EnvDrivers), string(EnvNone)} }

// Var is one variable. Param names the hyperparameter that it came from, if it came from one.
type Var struct{ Name, Value, Param string }

// Env is the environment that a job's trainer gets beside what the container has, in a fixed order, each name
// once. Args are the command-line words that the hyperparameters became.
func Env(j *Job, s *Snapshot, style EnvStyle, args []string) []Var {
	const usual = 64 // variables, with some of the trainer's own
	e := &env{vars: make([]Var, 0, usual), at: make(map[string]int, usual)}
	switch style {
	case EnvToolkit:
		e.toolkit(j, s, args)
		e.extras(j)
		e.modes(j)
	case EnvDrivers:
		e.drivers(j, s)
		e.modes(j)
	case EnvNone:
		return nil
	}
	e.aliases()
	return e.vars
}

type env struct {
	vars []Var
	at   map[string]int
}

// put sets a variable; of equal names the last counts, as in a Python dict.
func (e *env) put(name, value string) { e.add(Var{Name: name, Value: value}) }

func (e *env) add(v Var) {
	if strings.ContainsAny(v.Name, "=\x00") { // no environment can hold such a name; the alias it can
		v.Name = hparams.ShellName(v.Name)
	}
	if i, again := e.at[v.Name]; again {
		e.vars[i] = v
		return
	}
	e.at[v.Name] = len(e.vars)
	e.vars = append(e.vars, v)
}

// extras are what the drivers have and the toolkit lacks, with this house's rule for rank and leader.
func (e *env) extras(j *Job) {
	e.put("SM_HOST_COUNT", strconv.Itoa(len(j.Hosts)))
	e.put("SM_CURRENT_HOST_RANK", strconv.Itoa(j.Rank(j.Host)))
	e.put("SM_MASTER_ADDR", j.Leader())
	e.put("SM_MASTER_PORT", strconv.Itoa(MasterPort))
	e.put("SM_INPUT_DATA_DIR", j.DataDir())
	e.put("SM_OUTPUT_FAILURE", j.Dir("output/failure"))
}

// modes say how each channel's data arrive, beside SM_CHANNEL_ with their place: for Pipe that is only a prefix.
func (e *env) modes(j *Job) {
	for _, c := range j.Channels {
		e.put("ENTRAIN_CHANNEL_"+strings.ToUpper(c.Name)+"_MODE", string(c.Mode))
	}
}

// resource is a value of resourceconfig.json as it is there, null too; otherwise stands for one that is not.
func (j *Job) resource(key, otherwise string) hparams.Value {
	if v, ok := j.Resource.Get(key); ok {
		return v
	}
	return hparams.Str(otherwise)
}

// MasterPort is where the ranks of a trainer meet: the port of both the toolkit and the drivers.
const MasterPort = 7777

// aliases give each SM_HP_, SM_CHANNEL_ and ENTRAIN_CHANNEL_ name that a shell cannot read a second one in [A-Z0-9_], unless
// that name is taken.
func (e *env) aliases() {
	for _, v := range e.vars {
		if !strings.HasPrefix(v.Name, "SM_HP_") && !strings.HasPrefix(v.Name, "SM_CHANNEL_") && !strings.HasPrefix(v.Name, "ENTRAIN_CHANNEL_") {
			continue
		}
		v.Name = hparams.ShellName(v.Name)
		if _, taken := e.at[v.Name]; !taken {
			e.add(v)
		}
	}
}
