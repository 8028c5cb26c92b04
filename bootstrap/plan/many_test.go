package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"entrain/contract"
	"entrain/hparams"
)

// TestAFileOfNothingButMistakesIsAnswered: each list has so many mistakes that a search in the file, or a
// comparison of all names with all, for each of them takes longer than the bound.
func TestAFileOfNothingButMistakesIsAnswered(t *testing.T) {
	const many, bound = 100_000, 20 * time.Second
	members := func(format string) string {
		var list []string
		for i := range many {
			list = append(list, fmt.Sprintf(format, i))
		}
		return strings.Join(list, ",")
	}
	spec := `{"SupportedHyperParameters":[{"Name":"a","Type":"FreeText"},{"Name":"b","Type":"FreeText"}]}`
	for name, c := range map[string]struct {
		style                     hparams.Style
		params, channels, members string
		spec                      string
	}{
		"names that no flag can have":   {style: hparams.StyleGNU, params: members(`"=a%d":"1"`)},
		"names that are no Hydra key":   {style: hparams.StyleHydra, params: members(`"=a%d":"1"`)},
		"false without a flag":          {style: hparams.StyleGNU, params: members(`"a%d":"false"`)},
		"names with a NUL":              {style: hparams.StyleGNU, params: members(`"a%d":"\u0000"`)},
		"names without a specification": {params: members(`"a%d":"1"`), spec: spec},
		"misspelt keys of the hosts":    {members: "," + members(`"current_hst%d":1`)},
		"channels without a directory":  {channels: members(`"c%d":{}`)},
		"channels without a FIFO":       {channels: members(`"c%d":{"TrainingInputMode":"Pipe"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			snap := &contract.Snapshot{Root: "/opt/ml", Dir: "/work", Files: map[string]contract.File{
				contract.HyperparametersFile: {Data: []byte("{" + c.params + "}")},
				contract.InputDataFile:       {Data: []byte("{" + c.channels + "}")},
				contract.ResourceFile:        {Data: []byte(`{"current_host":"a","hosts":["a"]` + c.members + "}")},
			}}
			if c.spec != "" {
				snap.SpecPath, snap.Spec = "spec.json", contract.File{Data: []byte(c.spec)}
			}
			o := options("true")
			o.ArgsStyle = c.style
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				if job, _ := contract.Load(snap); job != nil {
					contract.CheckData(job, snap)
					Check(job, snap, o)
				}
			}()
			select {
			case <-ended:
			case <-time.After(bound):
				t.Fatalf("no answer in %s", bound)
			}
		})
	}
}
