package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// setupVerbs are the verbs around a job: they read no contract.
func (c *command) setupVerbs() []*cli.Command {
	tree := bootstrap.Tree{}
	return []*cli.Command{
		{
			Name: "scaffold", Usage: "write a valid contract tree, to try an image on a laptop", ArgsUsage: "DIR",
			Flags:  scaffoldFlags(&tree),
			Action: func(ctx *cli.Context) error { return c.scaffold(ctx, tree) },
		},
		{Name: "install", Usage: "copy this program, for init containers", ArgsUsage: "PATH", Action: c.install},
		{Name: "version", Usage: "print the version", Action: c.printVersion},
		{Name: "completion", Usage: "print a completion script", ArgsUsage: "bash|zsh|fish", Action: c.completion},
	}
}

func scaffoldFlags(t *bootstrap.Tree) []cli.Flag {
	t.Hosts, t.InstanceType = 1, "local"
	return []cli.Flag{
		count("hosts", "how many hosts `N`, named algo-1 …", &t.Hosts),
		text("current-host", "the host that the tree is for (default algo-1)", &t.CurrentHost),
		text("instance-type", "its `TYPE`", &t.InstanceType),
		newFlag("hp", "a hyperparameter `NAME=VALUE`; repeat it for more", &value{set: t.AddParam}),
		newFlag("channel", "a channel `NAME` or NAME=MODE; repeat it for more", &value{set: t.AddChannel}),
	}
}

func (c *command) scaffold(ctx *cli.Context, t bootstrap.Tree) error {
	dir, err := onePath(ctx, "DIR")
	if err != nil {
		return err
	}
	if err := bootstrap.Scaffold(dir, t); err != nil {
		return err
	}
	return c.print(fmt.Sprintf("wrote a contract for %d host(s) to %s\ntry it: entrain plan --root %s -- echo, or docker run -v %s:/opt/ml IMAGE train\n", t.Hosts, dir, dir, dir))
}

func (c *command) install(ctx *cli.Context) error {
	path, err := onePath(ctx, "PATH")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return bootstrap.Install(self, path)
}

// onePath is the single argument of a verb, absolute.
func onePath(ctx *cli.Context, name string) (string, error) {
	if ctx.NArg() != 1 || ctx.Args().First() == "" {
		return "", &bootstrap.UsageError{Err: fmt.Errorf("entrain %s takes one argument %s, got %d", ctx.Command.Name, name, ctx.NArg())}
	}
	return filepath.Abs(ctx.Args().First())
}

// completion prints a script that asks entrain itself what may follow.
func (c *command) completion(ctx *cli.Context) error {
	script, ok := map[string]string{
		"bash": `_entrain() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$("${COMP_WORDS[@]:0:COMP_CWORD}" ${2:+"$2"} --generate-bash-completion 2>/dev/null)" -- "$2"))
}
complete -o default -F _entrain entrain
`,
		"zsh": `#compdef entrain
_entrain() {
  local -a found
  found=("${(@f)$("${(@)words[1,CURRENT-1]}" ${words[CURRENT]:+"${words[CURRENT]}"} --generate-bash-completion 2>/dev/null)}")
  compadd -a found || _files
}
compdef _entrain entrain
`,
		"fish": `complete -c entrain -a '(command entrain (commandline -opc)[2..] (commandline -ct) --generate-bash-completion 2>/dev/null)'
`,
	}[ctx.Args().First()]
	if !ok || ctx.NArg() != 1 {
		return &bootstrap.UsageError{Err: errors.New("entrain completion: want one of bash, zsh, fish, got " + strconv.Quote(strings.Join(ctx.Args().Slice(), " ")))}
	}
	return c.print(script)
}
