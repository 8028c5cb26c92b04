package bootstrap

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"entrain/contract"
	"entrain/hparams"
)

// Tree is what Scaffold writes.
type Tree struct {
	Hosts        int // named algo-1, algo-2, …
	CurrentHost  string
	InstanceType string
	Platform     Platform
	params       hparams.Value
	channels     hparams.Value
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
		return fmt.Errorf("channel %s is there already, expected each one once", hparams.Quote(name))
	}
	t.channels.Kind = hparams.Object
	t.channels.Set(name, hparams.Dict("TrainingInputMode", hparams.Str(mode),
		"S3DistributionType", hparams.Str("FullyReplicated"), "RecordWrapperType", hparams.Str("None")))
	return nil
}

// Scaffold writes a contract tree that is valid, or nothing.
func Scaffold(dir string, t Tree) error {
	t.wrap()
	files := t.files()
	job, problems := contract.Load(&contract.Snapshot{Root: dir, Files: files})
	if job == nil {
		return &UsageError{Err: &contract.InvalidError{Problems: problems}}
	}
	dirs := []string{"input/config", "input/data", "model", "output/data", "code"}
	for _, c := range job.Channels {
		if c.Mode != contract.ModePipe {
			dirs = append(dirs, "input/data/"+c.Name)
		}
	}
	for _, name := range []string{contract.HyperparametersFile, contract.InputDataFile, contract.ResourceFile} {
		if _, err := os.Lstat(filepath.Join(dir, "input/config", name)); err == nil {
			return &OutputError{Err: fmt.Errorf("%s holds a contract already", dir)}
		}
	}
	for _, sub := range dirs {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil { //nolint:gosec // /opt/ml is for everybody to read
			return &OutputError{Err: err}
		}
	}
	for name, f := range files {
		if err := writeAtomically(filepath.Join(dir, "input/config", name), bytes.NewReader(f.Data), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// files are the three configuration files in the platform's key order, compact and without a final newline.
func (t *Tree) files() map[string]contract.File {
	names := make([]string, t.Hosts)
	for i := range names {
		names[i] = "algo-" + strconv.Itoa(i+1)
	}
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

// Install copies a program so that nobody ever runs half of it: a running program cannot be written to, but its
// name can be given to another. A name that ends with a slash is a directory's, which is made.
func Install(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if info, err := os.Stat(to); strings.HasSuffix(to, "/") || err == nil && info.IsDir() {
		to = filepath.Join(to, filepath.Base(from))
	}
	return writeAtomically(to, in, 0o555)
}
