package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// addToolkit adds the variables that to_env_vars in environment.py returns, in its order, and three that the
// toolkit sets elsewhere. It does not set PYTHONPATH: the toolkit's value breaks virtual environments.
func (e *env) addToolkit(j *Job, s *Snapshot, args []string) {
	t := newToolkitView(j, s)
	for _, f := range t.variables(args).Fields {
		e.set(hparams.ToolkitName(f.Key), hparams.ToolkitText(f.Value))
	}
	if topology := t.topology(); topology.Truthy() {
		e.set("SM_TOPOLOGY", hparams.ToolkitText(topology))
	}
	for _, c := range j.Channels {
		e.set(hparams.ToolkitName("channel_"+c.Name), j.ChannelPath(c))
	}
	for _, p := range j.Params.User() {
		e.setVar(Var{Name: hparams.ToolkitName("hp_" + p.Name), Value: hparams.ToolkitText(p.Value), Param: p.Name})
	}
	e.set("CURRENT_HOST", j.Host)
	e.set("SAGEMAKER_JOB_NAME", t.paramText("sagemaker_job_name", ""))
	e.set("SAGEMAKER_REGION", t.region())
}

// toolkitView sees a job as the toolkit's Environment does.
type toolkitView struct {
	*Job
	snap *Snapshot
}

// regionParam names the region that the toolkit gives to boto3.
const regionParam = "sagemaker_region"

func newToolkitView(j *Job, s *Snapshot) toolkitView { return toolkitView{Job: j, snap: s} }

func (t toolkitView) paramText(name, fallback string) string {
	if v, ok := t.Params.Get(name); ok {
		return hparams.ToolkitText(v)
	}
	return fallback
}

// region returns the value of SAGEMAKER_REGION. As in Python's `region or ""`, a value such as 0 or []
// becomes the empty text.
func (t toolkitView) region() string {
	if v, ok := t.Params.Get(regionParam); ok && !v.Truthy() {
		return ""
	}
	fallback, ok := t.snap.Getenv("AWS_DEFAULT_REGION") // boto3 looks here first; the platform does not set it
	if !ok {
		fallback, _ = t.snap.Getenv("AWS_REGION")
	}
	return t.paramText(regionParam, fallback)
}

func (t toolkitView) variables(args []string) hparams.Value {
	all := t.properties()
	get := func(key string) hparams.Value { v, _ := all.Get(key); return v }
	return hparams.Dict(
		"hosts", get("hosts"), "network_interface_name", get("network_interface_name"),
		"hps", get("hyperparameters"), "user_entry_point", get("user_entry_point"),
		"framework_params", get("additional_framework_parameters"),
		"resource_config", t.Resource, "input_data_config", t.InputData,
		"output_data_dir", get("output_data_dir"),
		"channels", hparams.Strs(slices.Sorted(slices.Values(t.channelNames()))),
		"current_host", get("current_host"), "current_instance_type", get("current_instance_type"),
		"current_instance_group", get("current_instance_group"),
		"current_instance_group_hosts", get("current_instance_group_hosts"),
		"instance_groups", get("instance_groups"), "instance_groups_dict", get("instance_groups_dict"),
		"distribution_instance_groups", get("distribution_instance_groups"), "is_hetero", get("is_hetero"),
		"module_name", get("module_name"), "log_level", get("log_level"),
		"framework_module", get("framework_module"), "input_dir", get("input_dir"),
		"input_config_dir", get("input_config_dir"), "output_dir", get("output_dir"),
		"num_cpus", get("num_cpus"), "num_gpus", get("num_gpus"), "num_neurons", get("num_neurons"),
		"model_dir", get("model_dir"), "module_dir", get("module_dir"), "training_env", all,
		"user_args", hparams.Strs(args), "output_intermediate_dir", get("output_intermediate_dir"),
	)
}

// properties returns the 37 properties of the toolkit's Environment. Together they are SM_TRAINING_ENV.
func (t toolkitView) properties() hparams.Value {
	return hparams.Dict(
		"additional_framework_parameters", t.Params.Framework().Object(),
		"channel_input_dirs", t.channelDirs(),
		"current_host", hparams.Str(t.Host),
		"current_instance_group", t.resource("current_group_name", t.Group),
		"current_instance_group_hosts", t.groupHosts(),
		"current_instance_type", t.resource("current_instance_type", t.InstanceType),
		"distribution_hosts", hparams.Strs(t.DistributionHosts),
		"distribution_instance_groups", t.DistributionGroups,
		"framework_module", t.envOrNull("SAGEMAKER_TRAINING_MODULE"),
		"hosts", hparams.Strs(t.Hosts),
		"hyperparameters", t.Params.User().Object(),
		"input_config_dir", hparams.Str(t.Dir("input/config")),
		"input_data_config", t.InputData,
		"input_dir", hparams.Str(t.Dir("input")),
		"instance_groups", t.groupNames(),
		"instance_groups_dict", t.groupsByName(),
		"is_hetero", hparams.Truth(len(t.Groups) > 1),
		"is_master", hparams.Truth(t.Host == t.master()),
		"is_modelparallel_enabled", t.modelParallel(),
		"is_smddpmprun_installed", hparams.Truth(t.snap.Programs["smddpmprun"]),
		"is_smddprun_installed", hparams.Truth(t.snap.Programs["smddprun"]),
		"job_name", t.envOrNull("TRAINING_JOB_NAME"),
		"log_level", t.logLevel(),
		"master_hostname", hparams.Str(t.master()),
		"model_dir", hparams.Str(t.Dir("model")),
		"module_dir", hparams.Str(t.moduleDir()),
		"module_name", hparams.Str(t.moduleName()),
		"network_interface_name", t.resource("network_interface_name", t.Interface),
		"num_cpus", hparams.Num(t.Machine.CPUs),
		"num_gpus", hparams.Num(t.Machine.GPUs),
		"num_neurons", hparams.Num(t.neuronCores()),
		"output_data_dir", hparams.Str(t.Dir("output/data")),
		"output_dir", hparams.Str(t.Dir("output")),
		"output_intermediate_dir", hparams.Str(t.Dir("output/intermediate")),
		"resource_config", t.Resource,
		"topology", t.topology(),
		"user_entry_point", t.entryPoint(),
	)
}

func (t toolkitView) channelDirs() hparams.Value {
	dirs := hparams.Dict()
	for _, c := range t.Channels {
		dirs.Fields = append(dirs.Fields, hparams.Field{Key: c.Name, Value: hparams.Str(t.ChannelPath(c))})
	}
	return dirs
}

func (t toolkitView) groupHosts() hparams.Value {
	for _, g := range t.Groups {
		if g.Name == t.Group {
			return hparams.Strs(g.Hosts)
		}
	}
	return hparams.Strs(nil)
}

func (t toolkitView) groupNames() hparams.Value {
	names := make([]string, len(t.Groups))
	for i, g := range t.Groups {
		names[i] = g.Name
	}
	return hparams.Strs(names)
}

// groupsByName returns each group unchanged, even with keys that the platform does not document.
func (t toolkitView) groupsByName() hparams.Value {
	byName := hparams.Dict()
	groups, _ := t.Resource.Get("instance_groups")
	members := make([]hparams.Field, len(t.Groups))
	for i, g := range t.Groups {
		members[i] = hparams.Field{Key: g.Name, Value: groups.Items[i]}
	}
	byName.SetAll(members)
	return byName
}

// master returns the leader by the toolkit's rule: the first of the hosts that train together. If the job
// names no such hosts, it is the first of all hosts.
func (t toolkitView) master() string {
	if len(t.DistributionHosts) > 0 {
		return t.DistributionHosts[0]
	}
	return t.Hosts[0]
}

// topology returns the value of resourceconfig.json unchanged, even if it is null: today's files have that.
// A file without the key has an empty list.
func (t toolkitView) topology() hparams.Value {
	if v, ok := t.Resource.Get("topology"); ok {
		return v
	}
	return hparams.Strs(nil)
}

func (t toolkitView) envOrNull(name string) hparams.Value {
	if v, ok := t.snap.Getenv(name); ok {
		return hparams.Str(v)
	}
	return hparams.Value{}
}

// modelParallel returns Python's `mp_parameters and mp_parameters != "{}"`. Jobs of SageMaker's model
// parallel library set the variable.
func (t toolkitView) modelParallel() hparams.Value {
	v := t.envOrNull("SM_HP_MP_PARAMETERS")
	if !v.Truthy() {
		return v
	}
	return hparams.Truth(v.Text != "{}")
}

// logLevel returns the value of the hyperparameter, or the default. The toolkit also reads the variable
// SAGEMAKER_CONTAINER_LOG_LEVEL, but ignores it.
func (t toolkitView) logLevel() hparams.Value {
	if v, ok := t.Params.Get("sagemaker_container_log_level"); ok {
		return v
	}
	return hparams.Num(defaultLogLevel)
}

// moduleName returns the entry point without .py. A job without an entry point has the name "None": the
// toolkit calls str(None).
func (t toolkitView) moduleName() string {
	name, ok := t.snap.Getenv(programVar)
	if !ok {
		name = "None"
		if v, exists := t.Params.Get(programParam); exists && v.Kind != hparams.Null {
			name = hparams.PythonText(v)
		}
	}
	return strings.TrimSuffix(name, ".py")
}

// moduleDir returns Python's str() of the hyperparameter: null becomes "None".
func (t toolkitView) moduleDir() string {
	if v, ok := t.Params.Get(submitParam); ok {
		return hparams.PythonText(v)
	}
	return t.CodeDir(t.snap)
}

func (t toolkitView) entryPoint() hparams.Value {
	if v := t.envOrNull(programVar); v.Truthy() {
		return v
	}
	v, _ := t.Params.Get(programParam)
	return v
}

// neuronCores returns the number of NeuronCores. The toolkit has a fixed number for one instance type.
func (t toolkitView) neuronCores() int {
	if strings.Contains(t.InstanceType, "trn2.48xlarge") {
		return 64
	}
	return t.Machine.NeuronCores
}
