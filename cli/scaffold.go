//go:build linux

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

func (c *command) scaffoldFlags() []cli.Flag {
	t := &c.settings.tree
	return append(c.platformFlags(), []cli.Flag{
		count("hosts", "number of hosts, named algo-1, algo-2, …", &t.Hosts),
		text("current-host", "HOST", "write the contract of this host", &t.CurrentHost),
		toggle("all", "write a tree for each host, and a compose.yaml that runs all of them", &c.settings.all),
		&option{
			name: "image", arg: "IMAGE", needs: []string{"all"}, set: t.SetImage,
			usage: "name the image that compose.yaml runs (default: the variable IMAGE names it)",
		},
		text("instance-type", "TYPE", "instance type of the hosts", &t.InstanceType),
		&option{name: "hp", arg: "NAME=VALUE", usage: "add a hyperparameter; repeat it for more", many: true, set: t.AddParam},
		&option{
			name: "channel", arg: "NAME[=MODE]", many: true, set: t.AddChannel,
			usage: "add a channel: File, FastFile or Pipe (default: File); repeat it for more",
		},
		&option{
			name: "data", arg: "CHANNEL=PATH", many: true, set: t.AddData,
			usage: "copy a directory, or a file, into a channel; repeat it for more",
		},
	}...)
}

func (c *command) platformFlags() []cli.Flag {
	p := &c.settings.tree.Platform
	return append([]cli.Flag{
		&option{
			name: "pipe", arg: "CHANNEL=PATH", many: true, set: c.settings.tree.AddPipe,
			usage: "add a Pipe channel and serve its FIFOs from a directory or an augmented manifest; repeat it for more",
		},
	}, needing([]string{"pipe"},
		count("epochs", "serve this many epochs (default: as many as are read)", &p.Epochs),
		duration("late", "delay each FIFO by up to this much", &p.Late),
		natural("seed", "seed for the delays of --late", &p.Seed),
		oneOf("record-wrapper", "WRAPPER", "record wrapper of the Pipe channels", &p.Wrapper, bootstrap.Wrappers()),
		text("attributes", "NAME,NAME", "attributes to take from an augmented manifest, in this order", &p.Attributes),
	)...)
}

func (c *command) scaffold(ctx *cli.Context) error {
	dir, err := onePath(ctx, "DIR")
	if err != nil {
		return err
	}
	t, place := c.settings.tree, bootstrap.NewPlace(dir, ctx.Args().First())
	switch {
	case c.settings.all:
		return c.scaffoldAll(ctx, place, t)
	case t.Serves():
		return c.serve(place, t)
	}
	if err := bootstrap.WriteTree(dir, t); err != nil {
		return err
	}
	wrote := fmt.Sprintf("wrote a contract for host %s (%s) to %s\n",
		t.CurrentHost, plural(t.Hosts, "host"), place.Name)
	lines := paste(place, "To see what would run:", c.planLine(place, "", "IMAGE"),
		"To train, with your image for IMAGE:", runLine(place))
	if t.Hosts > 1 {
		lines = paste(place, "To see what would run:", c.planLine(place, "", "IMAGE")) +
			"One host of several does not train alone: --all writes every host, and a compose.yaml that runs them.\n"
	}
	return c.print(wrote + lines)
}

// scaffoldAll writes the trees of all hosts.
func (c *command) scaffoldAll(ctx *cli.Context, place bootstrap.Place, t bootstrap.Tree) error {
	if err := ofOneHost(given(ctx.Command.Flags), place.Name); err != nil {
		return &bootstrap.UsageError{Err: err}
	}
	if err := bootstrap.WriteTrees(place.Dir, t); err != nil {
		return err
	}
	image := ""
	if t.Image == "" {
		image = "IMAGE=IMAGE "
	}
	compose := image + "docker compose -f " + fromHere(place, "compose.yaml")
	train := "To train (docker-compose, where docker has no compose):"
	if image != "" {
		train = "To train, with your image after IMAGE= (docker-compose, where docker has no compose):"
	}
	// tail names each file, and the texts do not end with a newline.
	failures := fromHere(place, "") + "/algo-*/output/failure"
	wrote := fmt.Sprintf("wrote contracts for %s, compose.yaml and a cluster key in .env to %s\n",
		plural(t.Hosts, "host"), place.Name)
	return c.print(wrote +
		paste(place, "To see what would run:", c.planLine(place, "algo-1", cmp.Or(t.Image, "IMAGE")), train, compose+" up",
			"Each host's exit code, and why it failed:", compose+" ps -a", "tail -n +1 "+failures,
			"To remove the containers:", compose+" down"))
}

// ofOneHost are the mistakes of flags that mean one host.
func ofOneHost(flags []*option, dir string) error {
	hints := map[string]string{
		"current-host": "leave out --all for the tree of one host",
		"pipe": "declare it with --channel NAME=Pipe; entrain scaffold --pipe NAME=PATH " +
			bootstrap.ShellQuote(dir+"/algo-1") + " then serves one host",
	}
	var errs []error
	for _, o := range flags {
		if hint, ok := hints[o.name]; ok {
			errs = append(errs, fmt.Errorf("--%s is for one host, and --all writes every host\nhint: %s", o.name, hint))
		}
	}
	return errors.Join(errs...)
}

// serve writes a tree unless it is there, and plays the platform's side of its Pipe channels.
func (c *command) serve(place bootstrap.Place, t bootstrap.Tree) error {
	doer := c.newDoer()
	if err := bootstrap.PreparePlatform(place.Dir, t, c.env); err != nil {
		return err
	}
	epochs := "an epoch whenever one is read"
	if n := t.Platform.Epochs; n > 0 {
		epochs = plural(n, "epoch")
	}
	line := fmt.Sprintf("serving Pipe channels in %s: %s, Ctrl-C ends it\n", place.Name, epochs)
	if err := c.print(line); err != nil {
		return err
	}
	return doer.Serve(place.Dir, t)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// paste lays out lines: what ends in a colon tells what the lines below it are for. Those can be pasted into
// a shell. A shell's comment would not do: zsh takes none at its prompt.
func paste(place bootstrap.Place, lines ...string) string {
	var b strings.Builder
	if _, ok := place.Relative(); place.Contained && !ok {
		return fmt.Sprintf("%s is in the container alone, and ends with it. To keep it, mount a directory:\n  %s\n",
			place.Name, `docker run --rm -v "$PWD:/w" --entrypoint entrain IMAGE scaffold /w/job`)
	}
	if place.Contained {
		fmt.Fprintf(&b, "The lines below are for a shell outside of the container, in the directory mounted at %s.\n",
			place.Mount)
	}
	for _, line := range lines {
		if !strings.HasSuffix(line, ":") {
			line = "  " + line
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// planLine shows what would run. Outside of a container there may be no entrain.
func (c *command) planLine(place bootstrap.Place, host, image string) string {
	if place.Contained {
		return fmt.Sprintf("docker run --rm %s --entrypoint entrain %s plan --root %s -- echo",
			bind(`"$PWD"`, "", place.Mount), image, bootstrap.ShellQuote(filepath.Join(place.Dir, host)))
	}
	return fmt.Sprintf("%s plan --root %s -- echo", bootstrap.ShellQuote(c.args[0]), fromHere(place, host))
}

// runLine trains as the SDK's local mode does (sagemaker/local/image.py, _build_optml_volumes and
// _prepare_training_volumes): input, model and output are mounted each by itself, so that /opt/ml/code stays
// the image's. /opt/ml/checkpoints is not mounted there either: a trainer that writes to it needs one more
// mount.
func runLine(place bootstrap.Place) string {
	words := []string{"docker run --rm"}
	for _, name := range []string{"input", "model", "output"} {
		words = append(words, mount(place, name, "/opt/ml/"+name))
	}
	return strings.Join(append(words, "-e TRAINING_JOB_NAME="+bootstrap.LocalJob, "IMAGE train"), " ")
}
