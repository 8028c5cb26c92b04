// Package scaffold writes what a laptop or an image needs: contract trees, the platform's side of Pipe mode, a cluster key,
// and the program itself.
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

// Tree is what Write writes.
type Tree struct {
	Hosts        int // named algo-1, algo-2, …
	CurrentHost  string
	InstanceType string
	Platform     Platform
	Image        string // that compose.yaml names; empty for one that the variable IMAGE names
	params       hparams.Value
	channels     hparams.Value
	data         []source // of channels that are filled
}

// DefaultTree is a host alone, without hyperparameters and channels.
func DefaultTree() Tree {
	return Tree{Hosts: 1, CurrentHost: "algo-1", InstanceType: "local", Platform: Platform{Wrapper: Wrappers()[0]}}
}

// AddParam adds a hyperparameter NAME=VALUE; the value is a string, as on the platform.
func (t *Tree) AddParam(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("expected NAME=VALUE")
	}
	t.params.Kind = hparams.Object
	t.params.Set(name, hparams.Str(value))
	return nil
}

// AddChannel adds a channel NAME or NAME=MODE.
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

// Write writes a contract tree that is valid, or nothing.
func Write(dir string, t Tree) error {
	data, err := t.fill()
	if err != nil {
		return err
	}
	entries, err := t.entries(dir, data)
	if err != nil {
		return err
	}
	return write(dir, append(entries, entry{path: filepath.Join(dir, "code"), mode: fs.ModeDir | 0o755}))
}

// entries are the tree of one host. The SDK's local mode, too, makes it of input, model, output and
// output/data, and copies the data to each host. It makes them for its own user alone. Here everybody may
// write where a trainer writes, since an image's USER may have any number. There is no directory for
// /opt/ml/checkpoints: the platform has one only if the job asks for it.
func (t *Tree) entries(dir string, data map[string][]entry) ([]entry, error) {
	t.wrap()
	files := t.files()
	job, problems := contract.Load(&contract.Snapshot{Root: dir, Files: files})
	if job == nil {
		return nil, &plan.UsageError{Err: &contract.InvalidError{Problems: problems}}
	}
	const forAll, forTrainers = fs.ModeDir | 0o755, fs.ModeDir | 0o777
	in := func(name string) string { return filepath.Join(dir, name) }
	entries := []entry{
		{path: in("input"), mode: forAll},
		{path: in("input/config"), mode: forAll},
		{path: in("input/data"), mode: forAll},
		{path: in("model"), mode: forTrainers},
		{path: in("output"), mode: forTrainers},
		{path: in("output/data"), mode: forTrainers},
	}
	for _, c := range job.Channels {
		if c.Mode == contract.ModePipe {
			continue
		}
		to := in("input/data/" + c.Name)
		_, filled := data[c.Name]
		entries = append(entries, entry{path: to, mode: forAll, empty: filled})
		for _, e := range data[c.Name] {
			e.path = filepath.Join(to, e.path)
			entries = append(entries, e)
		}
	}
	for _, name := range []string{contract.HyperparametersFile, contract.InputDataFile, contract.ResourceFile} {
		path := in("input/config/" + name)
		entries = append(entries, entry{path: path, mode: 0o644, config: true, data: files[name].Data})
	}
	return entries, nil
}

// files are the three configuration files in the platform's key order, compact and without a final newline.
func (t *Tree) files() map[string]contract.File {
	names := t.hosts()
	slices.Sort(names) // as the platform lists them: algo-10 comes before algo-2
	const group = "homogeneousCluster"
	resource := hparams.Dict(
		"current_host", hparams.Str(t.CurrentHost), "current_instance_type", hparams.Str(t.InstanceType),
		"current_group_name", hparams.Str(group), "hosts", hparams.Strs(names),
		"instance_groups", hparams.Value{Kind: hparams.List, Items: []hparams.Value{hparams.Dict(
			"instance_group_name", hparams.Str(group), "instance_type", hparams.Str(t.InstanceType), "hosts", hparams.Strs(names),
		)}},
		"network_interface_name", hparams.Str("eth0"),
	)
	files := map[string]contract.File{}
	for name, doc := range map[string]hparams.Value{
		contract.HyperparametersFile: t.params, contract.InputDataFile: t.channels, contract.ResourceFile: resource,
	} {
		doc.Kind = hparams.Object // also of none
		files[name] = contract.File{Data: []byte(hparams.JSON(doc, hparams.PlainJSON()))}
	}
	return files
}

// hosts are the names of all hosts.
func (t *Tree) hosts() []string {
	names := make([]string, t.Hosts)
	for i := range names {
		names[i] = "algo-" + strconv.Itoa(i+1)
	}
	return names
}
