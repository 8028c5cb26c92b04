//go:build linux

package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"entrain/bootstrap"
)

// manual is the man page, from this directory. scripts/release puts it into the packages.
const manual = "../docs/entrain.1"

// TestReferenceManual compares the man page with the code. With UPDATE=1 it writes the page.
func TestReferenceManual(t *testing.T) {
	page := manualPage()
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(manual, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != page {
		t.Errorf("%s differs from the code; UPDATE=1 go test ./cli -run TestReference writes it anew", manual)
	}
}

// manualPage is the man page, in the macros of man(7).
func manualPage() string {
	var b strings.Builder
	b.WriteString(".\\\" Written by UPDATE=1 go test ./cli -run TestReference.\n" +
		".TH ENTRAIN 1\n" +
		".SH NAME\nentrain \\- the entry point of a training container\n" +
		".SH SYNOPSIS\n.B entrain\n[\\fIVERB\\fR] [\\fIFLAGS\\fR] [\\fB\\-\\-\\fR \\fICOMMAND\\fR...]\n" +
		".SH DESCRIPTION\n" +
		"entrain reads the contract under /opt/ml, checks it, waits for all hosts of the job, and runs the\n" +
		"trainer with the hyperparameters as flags and SM_ variables.\n" +
		".SH VERBS\n")
	for _, v := range shownVerbs() {
		item(&b, strings.Join(append([]string{v.Name}, v.Aliases...), ", ")+" "+v.ArgsUsage, v.Usage)
	}
	b.WriteString(".SH FLAGS\nFlags go after the verb. Every flag can be set by a variable; the flag wins.\n")
	for _, r := range flagRows() {
		text := r.o.usage + " (" + strings.Join(r.verbs, ", ") + "; variable " + variable(r.verbs[0], r.o.name)
		if r.o.defaultValue != "" {
			text += "; default " + r.o.defaultValue
		}
		item(&b, "--"+r.o.name+" "+r.o.valueName, text+")")
	}
	b.WriteString(".SH EXIT STATUS\n")
	for _, c := range bootstrap.ExitCodes() {
		item(&b, fmt.Sprint(c.Code), c.Meaning)
	}
	return b.String()
}

// item writes an entry of a list: a term in bold, and its meaning.
func item(b *strings.Builder, term, meaning string) {
	fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(term)), roff(meaning))
}

// roff escapes a text for a man page. Without the backslash, a hyphen would become a dash there.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
