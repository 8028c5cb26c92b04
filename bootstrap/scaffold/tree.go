// Package scaffold writes what a user needs to try a job on a laptop or to build an image: contract trees,
// the platform's side of Pipe mode, a cluster key, and a copy of entrain.
//
// The package plays the platform. It never starts a trainer, and it never overwrites a file, except that
// Install replaces a program.
package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"entrain/bootstrap/plan"
	"entrain/contract"
	"entrain/hparams"
)

// Tree describes a contract tree.
type Tree struct {
	Hosts        int    // the number of hosts; their names are algo-1, algo-2, …
	CurrentHost  string // the name of the host that the tree is for
	InstanceType string
	Platform     Platform
	Image        string        // the image in compose.yaml; empty for the value of the variable IMAGE
	params       hparams.Value // the content of hyperparameters.json
	channels     hparams.Value // the content of inputdataconfig.json
	data         []source      // the data of channels in File and FastFile mode
}

// DefaultTree returns the tree of a host alone, without hyperparameters and channels.
func DefaultTree() Tree {
	return Tree{
		Hosts: 1, CurrentHost: "algo-1", InstanceType: "local",
		Platform: Platform{
			Wrapper: Wrappers()[0], Distribution: Distributions()[0], Compression: Compressions()[0],
		},
	}
}

// AddParam adds the hyperparameter NAME=VALUE. The value is a JSON string, as on the platform.
func (t *Tree) AddParam(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("expected NAME=VALUE")
	}
	t.params.Kind = hparams.Object
	t.params.Set(name, hparams.Str(value))
	return nil
}

// AddChannel adds the channel NAME or NAME=MODE. Without a mode it has File mode.
func (t *Tree) AddChannel(text string) error {
	name, mode, ok := strings.Cut(text, "=")
	if !ok {
		mode = string(contract.ModeFile)
	}
	modes := []string{string(contract.ModeFile), string(contract.ModeFastFile), string(contract.ModePipe)}
	if !slices.Contains(modes, mode) {
		return fmt.Errorf("expected NAME=MODE with one of %s", strings.Join(modes, ", "))
	}
	if _, twice := t.channels.Get(name); twice {
		return fmt.Errorf("channel %s is given twice, expected each channel once", hparams.Quote(name))
	}
	t.channels.Kind = hparams.Object
	t.channels.Set(name, hparams.Dict("TrainingInputMode", hparams.Str(mode),
		"S3DistributionType", hparams.Str("FullyReplicated"), "RecordWrapperType", hparams.Str("None")))
	return nil
}

// Write writes a valid contract tree to dir, or nothing. It returns a *plan.UsageError for a tree that would
// not be valid, and an *output.Error if it cannot write.
func Write(dir string, t Tree) error {
	data, err := t.listData()
	if err != nil {
		return err
	}
	entries, err := t.entries(dir, data)
	if err != nil {
		return err
	}
	code := entry{path: filepath.Join(dir, "code"), mode: fs.ModeDir | 0o755}
	return writeEntries(dir, append(entries, code))
}

// entries lists the files and directories of one host's tree. The SDK's local mode also makes input, model,
// output and output/data, and copies the data to each host. It makes them for its own user only. Here every
// user may write where a trainer writes, because the USER of an image may have any number. There is no
// directory for /opt/ml/checkpoints: the platform makes one only if the job asks for it.
func (t *Tree) entries(dir string, data map[string][]entry) ([]entry, error) {
	t.describePipes()
	files := t.files()
	job, problems := contract.Load(&contract.Snapshot{Root: dir, Files: files})
	if job == nil {
		return nil, &plan.UsageError{Err: &contract.InvalidError{Problems: problems}}
	}
	const forAll, forTrainers = fs.ModeDir | 0o755, fs.ModeDir | 0o777
	below := func(name string) string { return filepath.Join(dir, name) }
	entries := []entry{
		{path: below("input"), mode: forAll},
		{path: below("input/config"), mode: forAll},
		{path: below("input/data"), mode: forAll},
		{path: below("model"), mode: forTrainers},
		{path: below("output"), mode: forTrainers},
		{path: below("output/data"), mode: forTrainers},
	}
	for _, c := range job.Channels {
		if c.Mode == contract.ModePipe {
			continue
		}
		to := below("input/data/" + c.Name)
		_, filled := data[c.Name]
		entries = append(entries, entry{path: to, mode: forAll, mustBeEmpty: filled})
		for _, e := range data[c.Name] {
			e.path = filepath.Join(to, e.path)
			entries = append(entries, e)
		}
	}
	for _, name := range []string{contract.HyperparametersFile, contract.InputDataFile, contract.ResourceFile} {
		path := below("input/config/" + name)
		entries = append(entries, entry{path: path, mode: 0o644, isContract: true, data: files[name].Data})
	}
	return entries, nil
}

// files returns the three configuration files by name. They have the platform's order of keys, no blanks, and
// no final newline.
func (t *Tree) files() map[string]contract.File {
	names := t.hosts()
	slices.Sort(names) // the platform's order: algo-10 comes before algo-2
	const groupName = "homogeneousCluster"
	group := hparams.Dict(
		"instance_group_name", hparams.Str(groupName),
		"instance_type", hparams.Str(t.InstanceType),
		"hosts", hparams.Strs(names),
	)
	resource := hparams.Dict(
		"current_host", hparams.Str(t.CurrentHost),
		"current_instance_type", hparams.Str(t.InstanceType),
		"current_group_name", hparams.Str(groupName),
		"hosts", hparams.Strs(names),
		"instance_groups", hparams.Value{Kind: hparams.List, Items: []hparams.Value{group}},
		"network_interface_name", hparams.Str("eth0"),
	)
	files := map[string]contract.File{}
	for name, doc := range map[string]hparams.Value{
		contract.HyperparametersFile: t.params,
		contract.InputDataFile:       t.channels,
		contract.ResourceFile:        resource,
	} {
		doc.Kind = hparams.Object // also for a value that has no fields yet
		files[name] = contract.File{Data: []byte(hparams.JSON(doc, hparams.PlainJSON()))}
	}
	return files
}

// hosts returns the names of all hosts.
func (t *Tree) hosts() []string {
	names := make([]string, t.Hosts)
	for i := range names {
		names[i] = "algo-" + strconv.Itoa(i+1)
	}
	return names
}
