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

func (c *command) scaffold(ctx *cli.Context) error {
	dir, err := onePath(ctx, "DIR")
	if err != nil {
		return err
	}
	t := c.settings.tree
	if t.Serves() {
		return c.serve(dir, t)
	}
	if err := bootstrap.Scaffold(dir, t); err != nil {
		return err
	}
	return c.print(fmt.Sprintf("wrote %s as %s of %d would see it\ntry it: entrain plan --root %s -- echo, or docker run -v %s:/opt/ml IMAGE train\n",
		dir, t.CurrentHost, t.Hosts, dir, dir))
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

func keygen(ctx *cli.Context) error {
	path, err := onePath(ctx, "PATH")
	if err != nil {
		return err
	}
	return bootstrap.WriteKey(path)
}

// onePath is the single argument of a verb, absolute.
func onePath(ctx *cli.Context, name string) (string, error) {
	words := ctx.Args().Slice()
	if len(words) == 1 && words[0] != "" {
		return filepath.Abs(words[0])
	}
	return "", &bootstrap.UsageError{Err: fmt.Errorf("entrain %s takes one argument %s, got %d", ctx.Command.Name, name, len(words))}
}

// completion prints a script that asks entrain itself what may follow.
func (c *command) completion(ctx *cli.Context) error {
	script, ok := map[string]string{
		"bash": `_entrain() {
  local word IFS=$'\n'
  for word in "${COMP_WORDS[@]:0:COMP_CWORD}"; do [ "$word" = -- ] && return; done
  COMPREPLY=($(compgen -W "$("${COMP_WORDS[@]:0:COMP_CWORD}" ${2:+"$2"} --generate-bash-completion 2>/dev/null)" -- "$2"))
}
complete -o default -F _entrain entrain
`,
		"zsh": `#compdef entrain
_entrain() {
  local -a found
  (( ${words[(i)--]} < CURRENT )) && { _files; return }
  found=("${(@f)$("${(@)words[1,CURRENT-1]}" ${words[CURRENT]:+"${words[CURRENT]}"} --generate-bash-completion 2>/dev/null)}")
  compadd -a found || _files
}
compdef _entrain entrain
`,
		"fish": `complete -c entrain -n 'not contains -- -- (commandline -opc)' -a '(command entrain (commandline -opc)[2..] (commandline -ct) --generate-bash-completion 2>/dev/null)'
`,
	}[ctx.Args().First()]
	if !ok || ctx.NArg() != 1 {
		return &bootstrap.UsageError{Err: errors.New("entrain completion: expected one of bash, zsh, fish, got " + strconv.Quote(strings.Join(ctx.Args().Slice(), " ")))}
	}
	return c.print(script)
}
