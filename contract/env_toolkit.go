package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// toolkit adds the variables of environment.py's to_env_vars, in its order, and the three that it sets itself.
// PYTHONPATH is left alone: the toolkit's breaks virtual environments.
func (e *env) toolkit(j *Job, s *Snapshot, args []string) {
	t := newToolkit(j, s)
	for _, f := range t.variables(args).Fields {
		e.put(hparams.ToolkitName(f.Key), hparams.ToolkitText(f.Value))
	}
	if t.topology().Truthy() {
		e.put("SM_TOPOLOGY", hparams.ToolkitText(t.topology()))
	}
	for _, c := range j.Channels {
		e.put(hparams.ToolkitName("channel_"+c.Name), j.ChannelPath(c))
	}
	for _, p := range j.Params.User() {
		e.add(Var{Name: hparams.ToolkitName("hp_" + p.Name), Value: hparams.ToolkitText(p.Value), Param: p.Name})
	}
	e.put("CURRENT_HOST", j.Host)
	e.put("SAGEMAKER_JOB_NAME", t.param("sagemaker_job_name", ""))
	e.put("SAGEMAKER_REGION", t.region())
}

// toolkit is the toolkit's view of a job.
type toolkit struct {
	*Job
	snap *Snapshot
}

func newToolkit(j *Job, s *Snapshot) toolkit { return toolkit{Job: j, snap: s} }

func (t toolkit) param(name, otherwise string) string {
	if v, ok := t.Params.Get(name); ok {
		return hparams.ToolkitText(v)
	}
	return otherwise
}

func (t toolkit) region() string {
	fallback, ok := t.snap.Getenv("AWS_DEFAULT_REGION") // boto3's first choice, which the platform does not set
	if !ok {
		fallback, _ = t.snap.Getenv("AWS_REGION")
	}
	return t.param("sagemaker_region", fallback)
}

func (t toolkit) variables(args []string) hparams.Value {
	all := t.properties()
	get := func(key string) hparams.Value { v, _ := all.Get(key); return v }
	return hparams.Dict(
		"hosts", get("hosts"), "network_interface_name", get("network_interface_name"),
		"hps", get("hyperparameters"), "user_entry_point", get("user_entry_point"),
		"framework_params", get("additional_framework_parameters"),
		"resource_config", t.Resource, "input_data_config", t.InputData,
		"output_data_dir", get("output_data_dir"), "channels", hparams.Strs(t.channelNames()),
		"current_host", get("current_host"), "current_instance_type", get("current_instance_type"),
		"current_instance_group", get("current_instance_group"),
		"current_instance_group_hosts", get("current_instance_group_hosts"),
		"instance_groups", get("instance_groups"), "instance_groups_dict", get("instance_groups_dict"),
		"distribution_instance_groups", get("distribution_instance_groups"), "is_hetero", get("is_hetero"),
		"module_name", get("module_name"), "log_level", get("log_level"), "framework_module", get("framework_module"),
		"input_dir", get("input_dir"), "input_config_dir", get("input_config_dir"), "output_dir", get("output_dir"),
		"num_cpus", get("num_cpus"), "num_gpus", get("num_gpus"), "num_neurons", get("num_neurons"),
		"model_dir", get("model_dir"), "module_dir", get("module_dir"), "training_env", all,
		"user_args", hparams.Strs(args), "output_intermediate_dir", get("output_intermediate_dir"),
	)
}

// properties are the 37 of the toolkit's Environment, which make up SM_TRAINING_ENV.
func (t toolkit) properties() hparams.Value {
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
		"num_neurons", hparams.Num(t.neurons()),
		"output_data_dir", hparams.Str(t.Dir("output/data")),
		"output_dir", hparams.Str(t.Dir("output")),
		"output_intermediate_dir", hparams.Str(t.Dir("output/intermediate")),
		"resource_config", t.Resource,
		"topology", t.topology(),
		"user_entry_point", t.entryPoint(),
	)
}

func (t toolkit) channelNames() []string {
	names := make([]string, len(t.Channels))
	for i, c := range t.Channels {
		names[i] = c.Name
	}
	slices.Sort(names)
	return names
}

func (t toolkit) channelDirs() hparams.Value {
	dirs := hparams.Dict()
	for _, c := range t.Channels {
		dirs.Set(c.Name, hparams.Str(t.ChannelPath(c)))
	}
	return dirs
}

func (t toolkit) groupHosts() hparams.Value {
	for _, g := range t.Groups {
		if g.Name == t.Group {
			return hparams.Strs(g.Hosts)
		}
	}
	return hparams.Strs(nil)
}

func (t toolkit) groupNames() hparams.Value {
	names := make([]string, len(t.Groups))
	for i, g := range t.Groups {
		names[i] = g.Name
	}
	return hparams.Strs(names)
}

// groupsByName carries each group as the file has it, unknown keys too.
func (t toolkit) groupsByName() hparams.Value {
	byName := hparams.Dict()
	groups, _ := t.Resource.Get("instance_groups")
	for i, g := range t.Groups {
		byName.Set(g.Name, groups.Items[i])
	}
	return byName
}

// master is the toolkit's rule: the first of the hosts that train together, else the first of all.
func (t toolkit) master() string {
	if len(t.DistributionHosts) > 0 {
		return t.DistributionHosts[0]
	}
	return t.Hosts[0]
}

func (t toolkit) topology() hparams.Value {
	if !t.Topology.Truthy() { // Python's "or []"
		return hparams.Strs(nil)
	}
	return t.Topology
}

func (t toolkit) envOrNull(name string) hparams.Value {
	if v, ok := t.snap.Getenv(name); ok {
		return hparams.Str(v)
	}
	return hparams.Value{}
}

// modelParallel is Python's `mp_parameters and mp_parameters != "{}"` of a variable that smp jobs set.
func (t toolkit) modelParallel() hparams.Value {
	v := t.envOrNull("SM_HP_MP_PARAMETERS")
	if !v.Truthy() {
		return v
	}
	return hparams.Truth(v.Text != "{}")
}

// logLevel is 20, logging.INFO, unless the hyperparameter says otherwise; the variable of the same name is read
// by the toolkit and then ignored.
func (t toolkit) logLevel() hparams.Value {
	if v, ok := t.Params.Get("sagemaker_container_log_level"); ok {
		return v
	}
	return hparams.Num(20)
}

// moduleName is the entry point without .py; "None" where there is none, since the toolkit takes str(None).
func (t toolkit) moduleName() string {
	name, ok := t.snap.Getenv("SAGEMAKER_PROGRAM")
	if !ok {
		name = "None"
		if v, there := t.Params.Get("sagemaker_program"); there && v.Kind != hparams.Null {
			name = hparams.PythonText(v)
		}
	}
	return strings.TrimSuffix(name, ".py")
}

// moduleDir is str() of the hyperparameter, null too.
func (t toolkit) moduleDir() string {
	if v, ok := t.Params.Get("sagemaker_submit_directory"); ok {
		return hparams.PythonText(v)
	}
	return t.Dir("code")
}

func (t toolkit) entryPoint() hparams.Value {
	if v := t.envOrNull("SAGEMAKER_PROGRAM"); v.Truthy() {
		return v
	}
	v, _ := t.Params.Get("sagemaker_program")
	return v
}

// neurons: of this one type the toolkit knows the answer and asks nobody.
func (t toolkit) neurons() int {
	if strings.Contains(t.InstanceType, "trn2.48xlarge") {
		return 64
	}
	return t.Machine.NeuronCores
}
