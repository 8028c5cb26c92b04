package plan

import (
	"strings"

	"entrain/contract"
)

// hide takes out of a plan to look at what a name has not shown to be a secret.
func (p *Plan) hide() {
	for _, words := range [][]string{p.Command.Argv, p.Command.Env} {
		for i, word := range words {
			words[i] = p.Mask(word)
		}
	}
	for i, f := range p.Files {
		p.Files[i].Data = []byte(p.Mask(string(f.Data)))
	}
	if p.Launch != nil {
		for _, words := range [][]string{p.Launch.Options, p.Launch.Trainer} {
			for i, word := range words {
				words[i] = p.Mask(word)
			}
		}
	}
}

// maskSnapshot is the snapshot with the environment's secrets replaced.
func maskSnapshot(snap *contract.Snapshot) *contract.Snapshot {
	shown := *snap
	shown.Env = contract.MaskEnv(snap.Env)
	for i, kv := range shown.Env {
		text, ok := strings.CutPrefix(kv, "ENTRAIN_COMMAND=")
		if words, err := commandWords(text); ok && err == nil {
			quoted := contract.MaskWords(words)
			for j, word := range quoted {
				quoted[j] = ShellQuote(word)
			}
			shown.Env[i] = "ENTRAIN_COMMAND=" + strings.Join(quoted, " ")
		}
	}
	return &shown
}
