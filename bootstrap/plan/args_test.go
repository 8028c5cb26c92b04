package plan

import (
	"strings"
	"testing"

	"entrain/hparams"
)

func TestTwoHyperparametersThatBecomeOneFlagAreReported(t *testing.T) {
	no, short := hparams.GNU{Bool: hparams.BoolNo}, hparams.GNU{Short: true}
	for _, c := range []struct {
		hp    string
		style hparams.Style
		gnu   hparams.GNU
		flag  string
	}{
		{`{"no-x":"true","x":"false"}`, hparams.StyleGNU, no, "--no-x"},
		{`{"x":"false","no-x":"1"}`, hparams.StyleGNU, no, "--no-x"},
		{`{"o":"{\"a\":2}","o.a":"1"}`, hparams.StyleGNU, hparams.GNU{}, "--o.a"},
		{`{"o.p.a":"true","o":"{\"p\":{\"a\":[1,2]}}"}`, hparams.StyleGNU, short, "--o.p.a"},
		{`{"no-x":"true","x":"true"}`, hparams.StyleGNU, no, ""},
		{`{"no-x":"true","x":"false"}`, hparams.StyleGNU, hparams.GNU{}, ""},
		{`{"x":"--y","y":"1"}`, hparams.StyleGNU, short, ""},
		{`{"list":"[1,2,3]"}`, hparams.StyleGNU, no, ""},
		{`{"o":"{\"a\":2}","o.a":"1"}`, hparams.StyleJSON, hparams.GNU{}, ""},
		{`{"no-x":"true","x":"false"}`, hparams.StyleToolkit, no, ""},
	} {
		in := photographJob(t, c.hp, alone)
		o := options("true")
		o.ArgsStyle, o.GNU = c.style, c.gnu
		var told []string
		for _, p := range Check(in.Job, in.Snapshot, o) {
			if strings.Contains(p.Message, "becomes too") {
				told = append(told, p.String())
			}
		}
		switch {
		case c.flag == "" && len(told) > 0, c.flag != "" && len(told) != 1:
			t.Errorf("%s, %s: told %q, want the flag %q once", c.hp, c.style, told, c.flag)
		case c.flag != "" && !strings.Contains(told[0], `it becomes the flag "`+c.flag+`"`):
			t.Errorf("%s, %s: told %q, want the flag %q", c.hp, c.style, told, c.flag)
		}
	}
}
