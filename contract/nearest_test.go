package contract_test

import (
	"testing"

	"entrain/contract"
)

func TestHintNamesTheNearestName(t *testing.T) {
	names := []string{"epochs", "batch-size", "lr", "learning_rate"}
	for name, want := range map[string]string{
		"epoch": "epochs", "epcohs": "epochs", "batch_size": "batch-size", "rl": "lr",
		"learningrate": "learning_rate", "LR": "lr", "seed": "", "": "", "étoile": "",
	} {
		if want != "" {
			want = `did you mean "` + want + `"?`
		}
		if got := contract.Nearest(name, names); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
