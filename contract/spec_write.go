package contract

import "entrain/hparams"

// SpecOf makes a first specification of an algorithm from one of its jobs. It allows the hyperparameters and
// channels of that job, and the job's values become defaults, but for its secrets.
func SpecOf(j *Job) hparams.Value {
	params := hparams.Value{Kind: hparams.List}
	for _, p := range j.Params.User() {
		if !canBeSpecified(p.Name) {
			continue
		}
		spec := hparams.Dict("Name", hparams.Str(p.Name), "Type", hparams.Str(typeOf(p.Value)))
		if p.Value.Kind == hparams.Bool {
			values := hparams.Dict("Values", hparams.Strs([]string{"true", "false"}))
			spec.Set("Range", hparams.Dict(rangeKey("Categorical"), values))
		}
		spec.Set("IsTunable", hparams.Truth(false))
		spec.Set("IsRequired", hparams.Truth(false))
		if !IsSecret(p.Name) && maskText("", p.Raw.Text) == p.Raw.Text {
			spec.Set("DefaultValue", hparams.Str(specText(p.Value)))
		}
		params.Items = append(params.Items, spec)
	}
	channels := hparams.Value{Kind: hparams.List}
	for _, c := range j.Channels {
		if !holdsCode(c) {
			channels.Items = append(channels.Items, channelSpec(c))
		}
	}
	var types []string
	if isPlatformType(j.InstanceType) {
		types = append(types, j.InstanceType)
	}
	return hparams.Dict(
		"SupportedHyperParameters", params,
		"TrainingChannels", channels,
		"SupportedTrainingInstanceTypes", hparams.Strs(types),
		"SupportsDistributedTraining", hparams.Truth(len(j.Hosts) > 1),
	)
}

// channelSpec returns the entry for a channel. It writes FastFile as File: the platform's documentation knows
// only File and Pipe there.
func channelSpec(c Channel) hparams.Value {
	mode := c.Mode
	if mode == ModeFastFile {
		mode = ModeFile
	}
	var types []string
	if c.ContentType != "" {
		types = append(types, c.ContentType)
	}
	return hparams.Dict(
		"Name", hparams.Str(c.Name),
		"IsRequired", hparams.Truth(true),
		"SupportedContentTypes", hparams.Strs(types),
		"SupportedCompressionTypes", hparams.Strs([]string{"None"}),
		"SupportedInputModes", hparams.Strs([]string{string(mode)}),
	)
}

// typeOf returns the Type for a hyperparameter with such a value. A number that a specification cannot
// check is FreeText.
func typeOf(v hparams.Value) string {
	for kind, typ := range map[hparams.Kind]string{
		hparams.Int: "Integer", hparams.Float: "Continuous", hparams.Bool: "Categorical",
	} {
		if p := (&ParamSpec{Type: typ}); v.Kind == kind && p.accepts(v.Text) {
			return typ
		}
	}
	return "FreeText"
}
