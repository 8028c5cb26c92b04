//go:build linux

package cli

import (
	"errors"
	"fmt"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/scaffold"

	"github.com/urfave/cli/v2"
)

// scaffoldVerb writes what the platform would give to a training container.
func (c *command) scaffoldVerb() *verb {
	s := &scaffolding{command: c, tree: scaffold.DefaultTree()}
	return newVerb("scaffold", "write a valid contract, to try an image on a laptop", "DIR", s.write, s.flags)
}

// scaffolding is the verb scaffold.
type scaffolding struct {
	*command
	tree scaffold.Tree
	all  bool // write a tree for each host
}

func (s *scaffolding) flags() []cli.Flag {
	t := &s.tree
	return append(s.platformFlags(), []cli.Flag{
		count("hosts", "number of hosts, named algo-1, algo-2, …", &t.Hosts),
		text("current-host", "HOST", "write the contract of this host", &t.CurrentHost),
		toggle("all", "write a tree for each host, and a compose.yaml that runs all of them", &s.all),
		&option{
			name: "image", valueName: "IMAGE", needs: []string{"all"}, set: t.SetImage,
			usage: "name the image that compose.yaml runs (default: the variable IMAGE names it)",
		},
		text("instance-type", "TYPE", "instance type of the hosts", &t.InstanceType),
		&option{
			name: "hp", valueName: "NAME=VALUE", repeats: true, set: t.AddParam,
			usage: "add a hyperparameter; repeat it for more",
		},
		&option{
			name: "channel", valueName: "NAME[=MODE]", repeats: true, set: t.AddChannel,
			usage: "add a channel: File, FastFile or Pipe (default: File); repeat it for more",
		},
		&option{
			name: "data", valueName: "CHANNEL=PATH", repeats: true, set: t.AddData,
			usage: "copy a directory, or a file, into a channel; repeat it for more",
		},
	}...)
}

// platformFlags are the flags of the platform's side of Pipe mode.
func (s *scaffolding) platformFlags() []cli.Flag {
	p := &s.tree.Platform
	return append([]cli.Flag{
		&option{
			name: "pipe", valueName: "CHANNEL=PATH", repeats: true, set: s.tree.AddPipe,
			usage: "add a Pipe channel and serve its FIFOs from a directory, a file or a manifest; " +
				"repeat it for more",
		},
	}, needOneOf([]string{"pipe"},
		count("epochs", "serve this many epochs (default: as many as are read)", &p.Epochs),
		duration("late", "delay each FIFO by up to this much", &p.Late),
		natural("seed", "seed for the delays of --late", &p.Seed),
		oneOf("s3-data-type", "TYPE", "kind of the sources (default: AugmentedManifestFile for a file with "+
			"--attributes, else S3Prefix)", &p.DataType, scaffold.DataTypes()),
		oneOf("s3-distribution", "TYPE", "S3DistributionType of the Pipe channels; ShardedByS3Key gives each "+
			"of --hosts a part of the objects", &p.Distribution, scaffold.Distributions()),
		oneOf("compression", "TYPE", "CompressionType of the Pipe channels; the objects of Gzip are inflated",
			&p.Compression, scaffold.Compressions()),
		&option{
			name: "shuffle-seed", valueName: "N", set: p.SetShuffleSeed,
			usage: "shuffle the objects anew in each epoch, as ShuffleConfig does with this seed",
		},
		&option{
			name: "map", valueName: "PREFIX=DIR", repeats: true, set: p.AddMap,
			usage: "take the objects below a URI such as s3://bucket/ from a directory; repeat it for more",
		},
		oneOf("record-wrapper", "WRAPPER", "record wrapper of the Pipe channels", &p.Wrapper, scaffold.Wrappers()),
		&option{
			name: "attributes", valueName: "NAME,NAME", set: p.SetAttributes,
			usage: "attributes to take from an augmented manifest, in this order",
		},
	)...)
}

// write writes the tree, or all trees, and prints what to do with them.
func (s *scaffolding) write(ctx *cli.Context) error {
	dir, err := onePath(ctx, "DIR")
	if err != nil {
		return err
	}
	place := scaffold.NewPlace(dir, ctx.Args().First())
	switch {
	case s.all:
		return s.writeAll(ctx, place)
	case s.tree.Serves():
		return s.serve(place)
	}
	if err := scaffold.Write(dir, s.tree); err != nil {
		return err
	}
	wrote := fmt.Sprintf("wrote a contract for host %s (%s) to %s\n",
		s.tree.CurrentHost, plural(s.tree.Hosts, "host"), place.Name)
	program := s.args[0]
	lines := toPaste(place, "To see what would run:", planLine(program, place, "", "IMAGE"),
		"To train, with your image for IMAGE:", runLine(place))
	if s.tree.Hosts > 1 {
		lines = toPaste(place, "To see what would run:", planLine(program, place, "", "IMAGE")) +
			"One host of several does not train alone: --all writes every host, and a compose.yaml that runs them.\n"
	}
	return s.stdout.writeText(wrote + lines)
}

// writeAll writes the trees of all hosts.
func (s *scaffolding) writeAll(ctx *cli.Context, place scaffold.Place) error {
	if err := checkFlagsForAll(given(ctx.Command.Flags), place.Name); err != nil {
		return &plan.UsageError{Err: err}
	}
	if err := scaffold.WriteAll(place.Dir, s.tree); err != nil {
		return err
	}
	wrote := fmt.Sprintf("wrote contracts for %s, compose.yaml and a cluster key in .env to %s\n",
		plural(s.tree.Hosts, "host"), place.Name)
	return s.stdout.writeText(wrote + composeLines(s.args[0], place, s.tree.Image))
}

// checkFlagsForAll returns an error for each given flag that is about one host.
func checkFlagsForAll(given []*option, dir string) error {
	hints := map[string]string{
		"current-host": "leave out --all for the tree of one host",
		"pipe": "declare it with --channel NAME=Pipe; entrain scaffold --pipe NAME=PATH " +
			plan.ShellQuote(dir+"/algo-1") + " then serves one host",
	}
	var errs []error
	for _, o := range given {
		if hint, ok := hints[o.name]; ok {
			errs = append(errs,
				fmt.Errorf("--%s is for one host, and --all writes every host\nhint: %s", o.name, hint))
		}
	}
	return errors.Join(errs...)
}

// serve plays the platform's side of the tree's Pipe channels. It writes the tree first, unless the tree
// exists.
func (s *scaffolding) serve(place scaffold.Place) error {
	ready := func(warnings []string) error {
		s.log.warn(warnings)
		epochs := "an epoch whenever one is read"
		if n := s.tree.Platform.Epochs; n > 0 {
			epochs = plural(n, "epoch")
		}
		line := fmt.Sprintf("serving Pipe channels in %s: %s, Ctrl-C ends it\n", place.Name, epochs)
		return s.stdout.writeText(line)
	}
	return s.newDoer().Serve(place.Dir, s.tree, s.env, ready)
}
