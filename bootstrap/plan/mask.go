package plan

import (
	"strings"

	"entrain/contract"
)

// maskSecrets replaces the job's secrets in a plan that is only shown. It finds secrets in places whose name
// does not tell that a secret is there.
func (p *Plan) maskSecrets() {
	lists := [][]string{p.Command.Argv, p.Command.Env}
	if p.Launch != nil {
		lists = append(lists, p.Launch.Options, p.Launch.Trainer)
	}
	for _, words := range lists {
		for i, word := range words {
			words[i] = p.Mask(word)
		}
	}
	for i, f := range p.Files {
		p.Files[i].Data = []byte(p.Mask(string(f.Data)))
	}
}

// maskSnapshot returns a copy of the snapshot with the secrets of its environment replaced.
func maskSnapshot(snap *contract.Snapshot) *contract.Snapshot {
	const prefix = CommandVariable + "="
	masked := *snap
	masked.Env = contract.MaskEnv(snap.Env)
	for i, kv := range masked.Env {
		text, ok := strings.CutPrefix(kv, prefix)
		if words, err := parseCommand(text); ok && err == nil {
			masked.Env[i] = prefix + quoteWords(contract.MaskWords(words))
		}
	}
	return &masked
}
