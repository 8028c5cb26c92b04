package contract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
)

func TestNameIsAnEpochOnlyIfTheContractHasItsPipeChannel(t *testing.T) {
	const pipe = `{"TrainingInputMode":"Pipe"}`
	snap := snapshot(with("inputdataconfig.json",
		`{"train":`+pipe+`,"train_0":`+pipe+`,"x-manifest":`+pipe+`,"file":{}}`))
	job := load(t, snap)
	for name, want := range map[string]struct {
		channel string
		epoch   int
	}{
		"train_0": {"train", 0}, "train_0_0": {"train_0", 0}, "train_0_12": {"train_0", 12},
		"x-manifest_3": {"x-manifest", 3},

		"train": {}, "train_": {}, "train_00": {}, "train_+1": {}, "train_-1": {},
		"train_99999999999999999999": {}, "file_0": {}, "x_0": {}, "_0": {},
	} {
		c, epoch, ok := job.Epoch(name)
		if ok != (want.channel != "") || ok && (c.Name != want.channel || epoch != want.epoch) {
			t.Errorf("%s: epoch %d of %q, %v", name, epoch, c.Name, ok)
		}
	}
}

func TestTwoChannelsAtOnePathAreReportedWithTheReason(t *testing.T) {
	dir := contract.Entry{Kind: contract.KindDir}
	fifo := contract.Entry{Kind: contract.KindFIFO}
	file := contract.Entry{Kind: contract.KindFile}
	const pipe = `{"TrainingInputMode":"Pipe"}`
	for _, c := range []struct {
		what, in string
		data     map[string]contract.Entry
		want     []string
	}{
		{"nothing there yet", `{"train":` + pipe + `}`, nil, nil},
		{
			"FIFOs",
			`{"train":` + pipe + `,"train_0":` + pipe + `}`,
			map[string]contract.Entry{"train_0": fifo, "train_1": fifo, "train_0_0": fifo},
			nil,
		},
		{"a directory in place of a FIFO", `{"train":` + pipe + `}`, map[string]contract.Entry{
			"train_0": dir,
		}, []string{
			`inputdataconfig.json:1:2: channel "train": ` +
				`/opt/ml/input/data/train_0 is no FIFO, expected a FIFO, or nothing yet` +
				"\nhint: " + `in Pipe mode the platform makes it; entrain scaffold --pipe does so elsewhere`,
		}},
		{"two channels at one path", `{"train":` + pipe + `,"train_0":{}}`, map[string]contract.Entry{
			"train_0": dir,
		}, []string{
			`inputdataconfig.json:1:39: channel "train_0": ` +
				`/opt/ml/input/data/train_0 would be both its directory and the FIFO of epoch 0 of channel "train"` +
				"\nhint: " + `rename one of the two`,
		}},
		{"two channels perhaps at one path", `{"train":` + pipe +
			`,"train_7":{"TrainingInputMode":"FastFile"}}`, map[string]contract.Entry{
			"train_7": dir,
		}, []string{
			`warning: inputdataconfig.json:1:39: channel "train_7": ` +
				`/opt/ml/input/data/train_7 would be both its directory and the FIFO of epoch 7 of channel "train"` +
				"\nhint: " + `rename one of the two`,
		}},
		{
			"no epoch",
			`{"train":{},"train_0":{},"train_00":{}}`,
			map[string]contract.Entry{"train": dir, "train_0": dir, "train_00": dir},
			nil,
		},
		{"a FIFO for a channel in File mode", `{"train":{}}`, map[string]contract.Entry{"train_0": fifo}, []string{
			`inputdataconfig.json:1:2: channel "train": ` +
				`/opt/ml/input/data/train is missing, expected a directory in File mode` +
				"\nhint: " + `there is a FIFO train_0: TrainingInputMode may have to be Pipe`,
		}},
		{
			"a channel called manifest", `{"x":{},"x-manifest":{}}`,
			map[string]contract.Entry{"x": dir, "x-manifest": dir},
			nil,
		},
		{"a manifest at the path of a channel", `{"x":{},"x-manifest":{}}`, map[string]contract.Entry{
			"x": dir, "x-manifest": file,
		}, []string{
			`inputdataconfig.json:1:9: channel "x-manifest": ` +
				`/opt/ml/input/data/x-manifest is not a directory, expected one in File mode` +
				"\nhint: " + `it may be the list of the objects of channel "x", which the platform writes there: ` +
				`rename this channel`,
		}},
		{
			"a manifest that is a channel's", `{"x":{}}`,
			map[string]contract.Entry{"x": dir, "x-manifest": file},
			nil,
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			snap := snapshot(with("inputdataconfig.json", c.in))
			snap.Data = c.data
			var got []string
			for _, p := range contract.CheckData(load(t, snap), snap) {
				got = append(got, map[bool]string{true: "warning: "}[p.Warning]+p.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEachChannelHasAVariableForItsMode(t *testing.T) {
	snap := snapshot(with("inputdataconfig.json",
		`{"my-data":{"TrainingInputMode":"Pipe"},"my_data":{"TrainingInputMode":"FastFile"},"x.y":{}}`))
	job := load(t, snap)
	for _, style := range []contract.EnvStyle{contract.EnvToolkit, contract.EnvDrivers} {
		env := envOf(job, snap, style)
		for name, want := range map[string]string{
			"ENTRAIN_CHANNEL_MY-DATA_MODE": "Pipe", "ENTRAIN_CHANNEL_MY_DATA_MODE": "FastFile",
			"ENTRAIN_CHANNEL_X.Y_MODE": "File", "ENTRAIN_CHANNEL_X_Y_MODE": "File",
			"SM_CHANNEL_MY-DATA": "/opt/ml/input/data/my-data",
		} {
			if env[name] != want {
				t.Errorf("%s: %s=%q, want %q", style, name, env[name], want)
			}
		}
	}
}
