//go:build linux

package cli

import "strings"

// helpTemplate is the help of entrain.
const helpTemplate = `entrain - {{.Usage}}

  Reads the contract under /opt/ml, checks it, waits for all hosts of the job, and runs the trainer
  with the hyperparameters as flags and SM_ variables.

VERBS:{{range .VisibleCommands}}
  {{join .Names ", "}}{{"\t"}}{{.Usage}}{{end}}

EXAMPLE, in a Dockerfile:
  COPY entrain /usr/local/bin/
  ENTRYPOINT ["/usr/local/bin/entrain", "run", "--", "python3", "/opt/train.py"]

EXAMPLE, on a laptop:
  entrain scaffold --hp lr=0.1 --data train=./data ./job
  entrain plan --root ./job -- python3 train.py

  entrain VERB --help shows the flags that follow a verb. ENTRAIN_SOME_FLAG sets --some-flag, too.
`

// verbHelpTemplate is the help of one verb.
const verbHelpTemplate = `{{.HelpName}} - {{.Usage}}

USAGE:
  {{.HelpName}}{{if .VisibleFlags}} [FLAGS]{{end}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}{{if .VisibleFlags}}

FLAGS:{{range .VisibleFlags}}
  {{.}}{{end}}{{end}}
`

// wrap breaks a text between words into lines of a width, for a screen of 100 columns.
func wrap(text string, width int, newline string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			b.WriteString(newline)
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return strings.ReplaceAll(b.String(), noBreak, " ")
}

// noBreak is a space at which wrap does not break.
const noBreak = "\x00"
