package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// addDrivers adds the variables that scripts/environment.py of the SDK v3 drivers sets. Unlike that script it
// needs neither TRAINING_JOB_NAME nor an instance type. Everything else follows the script: the master is
// always algo-1, and ranks follow the alphabet.
func (e *env) addDrivers(j *Job, s *Snapshot) {
	for _, f := range driversVariables(j, s).Fields {
		e.set(f.Key, hparams.DriversText(f.Value))
	}
	for _, p := range j.Params {
		e.setVar(Var{Name: hparams.DriversName(p.Name), Value: hparams.DriversText(p.Value), Param: p.Name})
	}
}

func driversVariables(j *Job, s *Snapshot) hparams.Value {
	vars := driversConstants(j, s)
	for _, name := range []string{SourceCodeFile, DistributedFile} {
		driversFile(&vars, j, s, name)
	}
	channels := make([]hparams.Field, len(j.Channels))
	for i, c := range j.Channels {
		name := "SM_CHANNEL_" + strings.ToUpper(c.Name)
		channels[i] = hparams.Field{Key: name, Value: hparams.Str(j.ChannelPath(c))}
	}
	vars.SetAll(channels)
	vars.Set("SM_CHANNELS", hparams.Strs(j.channelNames()))
	vars.Set("SM_HPS", j.Params.Object())

	sorted := slices.Sorted(slices.Values(j.Hosts))
	vars.Set("SM_CURRENT_HOST", hparams.Str(j.Host))
	vars.Set("SM_CURRENT_INSTANCE_TYPE", j.resource("current_instance_type", j.InstanceType))
	vars.Set("SM_HOSTS", hparams.Strs(sorted))
	vars.Set("SM_NETWORK_INTERFACE_NAME", j.resource("network_interface_name", j.Interface))
	vars.Set("SM_HOST_COUNT", hparams.Num(len(sorted)))
	vars.Set("SM_CURRENT_HOST_RANK", hparams.Num(slices.Index(sorted, j.Host)))
	vars.Set("SM_NUM_CPUS", hparams.Num(j.Machine.CPUs))
	vars.Set("SM_NUM_GPUS", hparams.Num(j.Machine.GPUs))
	vars.Set("SM_NUM_NEURONS", hparams.Num(j.Machine.NeuronCores))
	vars.Set("SM_RESOURCE_CONFIG", j.Resource)
	vars.Set("SM_INPUT_DATA_CONFIG", j.InputData)
	vars.Set("SM_TRAINING_ENV", driversTrainingEnv(j, s, vars))
	return vars
}

func driversConstants(j *Job, s *Snapshot) hparams.Value {
	logLevel := hparams.Num(defaultLogLevel)
	if v, ok := s.Getenv("SM_LOG_LEVEL"); ok {
		logLevel = hparams.Str(v)
	}
	return hparams.Dict(
		"SM_MODEL_DIR", hparams.Str(j.Dir("model")),
		"SM_INPUT_DIR", hparams.Str(j.Dir("input")),
		"SM_INPUT_DATA_DIR", hparams.Str(j.DataDir()),
		"SM_INPUT_CONFIG_DIR", hparams.Str(j.Dir("input/config")),
		"SM_OUTPUT_DIR", hparams.Str(j.Dir("output")),
		"SM_OUTPUT_FAILURE", hparams.Str(j.Dir("output/failure")),
		"SM_OUTPUT_DATA_DIR", hparams.Str(j.Dir("output/data")),
		"SM_LOG_LEVEL", logLevel,
		"SM_MASTER_ADDR", hparams.Str("algo-1"),
		"SM_MASTER_PORT", hparams.Num(MasterPort),
	)
}

// driversFile adds the variables of one file in the channel sm_drivers. A file that is empty or no JSON adds
// none.
func driversFile(vars *hparams.Value, j *Job, s *Snapshot, name string) {
	doc, _, err := hparams.Parse(string(s.Files[name].Data))
	if err != nil || !doc.Truthy() {
		return
	}
	if name == SourceCodeFile {
		script, named := doc.Get("entry_script")
		if !named {
			script = hparams.Str("")
		}
		vars.Set("SM_SOURCE_DIR", hparams.Str(j.Dir("input/data/code")))
		vars.Set("SM_ENTRY_SCRIPT", script)
		return
	}
	vars.Set("SM_DISTRIBUTED_DRIVER_DIR", hparams.Str(j.Dir("input/data/sm_drivers/distributed_drivers")))
	vars.Set("SM_DISTRIBUTED_CONFIG", doc)
}

func driversTrainingEnv(j *Job, s *Snapshot, vars hparams.Value) hparams.Value {
	dirs := hparams.Dict()
	for _, c := range j.Channels { // the drivers read their variables: train and TRAIN share one
		dir, _ := vars.Get("SM_CHANNEL_" + strings.ToUpper(c.Name))
		dirs.Set(c.Name, dir)
	}
	all := hparams.Dict("channel_input_dirs", dirs)
	for _, name := range []string{
		"current_host", "current_instance_type", "hosts", "master_addr", "master_port", "hyperparameters",
		"input_data_config", "input_config_dir", "input_data_dir", "input_dir", "job_name", "log_level",
		"model_dir", "network_interface_name", "num_cpus", "num_gpus", "num_neurons", "output_data_dir",
		"resource_config",
	} {
		value, _ := vars.Get("SM_" + strings.ToUpper(name))
		switch name {
		case "hyperparameters":
			value = j.Params.Object()
		case "job_name":
			value = newToolkitView(j, s).envOrNull("TRAINING_JOB_NAME")
		}
		all.Set(name, value)
	}
	return all
}
