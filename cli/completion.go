//go:build linux

package cli

import (
	"fmt"
	"strings"

	"entrain/bootstrap/plan"

	"github.com/urfave/cli/v2"
)

// shellWords are the shells that completion knows, as the help shows them.
const shellWords = "bash|zsh|fish"

// completionVerb prints a script for a shell. The script asks this program which words may follow.
func (c *command) completionVerb() *verb {
	return newVerb("completion", "print a completion script for a shell", shellWords, c.completion, nil)
}

func (c *command) completion(ctx *cli.Context) error {
	script, ok := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[ctx.Args().First()]
	if !ok || ctx.NArg() != 1 {
		return &plan.UsageError{Err: fmt.Errorf("entrain completion: expected one of bash, zsh, fish, got %q",
			strings.Join(ctx.Args().Slice(), " "))}
	}
	return c.stdout.writeText(script)
}

// bashScript joins a --flag, its = and its VALUE, which bash has split. It completes the words after -- as a
// command line of its own, if the package bash-completion is loaded.
const bashScript = `# bash completion for entrain. Load it by: eval "$(entrain completion bash)"
_entrain() {
  local IFS=$'\n' i word files= words=()
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == -- ]] && ((i < COMP_CWORD)); then
      if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset $((i + 1))
      elif declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
      elif ((i + 1 == COMP_CWORD)); then
        COMPREPLY=($(compgen -c -- "$2"))
      fi
      return
    fi
    if ((${#words[@]})) && [[ $word == = || ${COMP_WORDS[i - 1]} == = ]]; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
  done
  local current=${words[${#words[@]} - 1]} strip=
  [[ $current == -*=* && $COMP_WORDBREAKS == *=* ]] && strip=${current%%=*}=
  COMPREPLY=()
  for word in $("$1" __complete "${words[@]}" 2>/dev/null); do
    if [[ $word == :files ]]; then files=yes; else COMPREPLY+=("${word#"$strip"}"); fi
  done
  if [[ ! $files ]]; then
    compopt +o default 2>/dev/null
  fi
}
complete -o default -F _entrain entrain
`

// zshScript is a function for fpath. The first call of such a function defines it anew, and must complete
// too.
const zshScript = `#compdef entrain
# zsh completion for entrain. Write it to a file _entrain in a directory of $fpath, or load it by:
# source <(entrain completion zsh)
_entrain() {
  local -a found
  local end=${words[(i)--]}
  if (( end < CURRENT )); then
    shift $end words
    (( CURRENT -= end ))
    _normal
    return
  fi
  found=(${(f)"$("${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)"})
  if [[ $found == :files ]]; then
    [[ $PREFIX == -*=* ]] && compset -P '*='
    _files
  else
    compadd -a found
  fi
}
if [[ $funcstack[1] == _entrain ]]; then
  _entrain "$@"
else
  compdef _entrain entrain
fi
`

// fishScript completes the words after -- as a command line of its own.
const fishScript = "" +
	`# fish completion for entrain. Write it to ~/.config/fish/completions/entrain.fish, or load it by:
# entrain completion fish | source
function __entrain_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l end (contains -i -- -- $words)
    if test -n "$end"
        complete -C (string join ' ' -- (string escape -- $words[(math $end + 1)..-1]) "$current")
        return
    end
    set -l found ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    if test "$found" != :files
        printf '%s\n' $found
        return
    end
    set -l flag (string match -r -- '^-[^=]*=' "$current")
    for path in (__fish_complete_path (string replace -r -- '^-[^=]*=' '' "$current"))
        echo "$flag$path"
    end
end
complete -c entrain -f -a '(__entrain_complete)'
`
