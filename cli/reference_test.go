package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"entrain/bootstrap"

	"github.com/urfave/cli/v2"
)

// reference is the page whose tables this program's own flags and verbs make.
const reference = "../docs/reference.md"

// TestReference: the tables of the reference are those of the code. UPDATE=1 writes them anew.
func TestReference(t *testing.T) {
	data, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for name, table := range map[string]string{"verbs": verbTable(), "flags": flagTable(), "exit codes": codeTable()} {
		if page, err = withTable(page, name, table); err != nil {
			t.Fatal(err)
		}
	}
	if page == string(data) {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("%s is not what the code says; UPDATE=1 go test ./cli -run TestReference writes it anew", reference)
	}
	if err := os.WriteFile(reference, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}

// withTable puts a table between the comments that bear its name.
func withTable(page, name, table string) (string, error) {
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
	before, rest, found := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("%s lacks %q or %q", reference, begin, end)
	}
	return before + begin + table + end + after, nil
}

// commandsOf are the verbs, the one that is called with its flags.
func commandsOf(called string) []*cli.Command {
	c := newCommand([]string{"entrain", called}, nil, io.Discard, io.Discard)
	return slices.DeleteFunc(c.verbs(), func(v *cli.Command) bool { return v.Hidden })
}

func verbTable() string {
	table := "| verb | what it does |\n|---|---|\n"
	for _, v := range commandsOf("run") {
		names := "`" + cell(strings.TrimSpace(v.Name+" "+v.ArgsUsage)) + "`"
		for _, alias := range v.Aliases {
			names += ", `" + alias + "`"
		}
		table += fmt.Sprintf("| %s | %s |\n", names, cell(v.Usage))
	}
	return table
}

// flagTable has one line for each flag and meaning; the verbs that have it follow.
func flagTable() string {
	type row struct {
		o     *option
		verbs []string
	}
	var rows []*row
	for _, verb := range commandsOf("run") {
		for _, v := range commandsOf(verb.Name) {
			if v.Name != verb.Name {
				continue
			}
			for _, f := range v.Flags {
				o, ours := f.(*option)
				if !ours {
					continue
				}
				i := slices.IndexFunc(rows, func(r *row) bool { return r.o.String() == o.String() })
				if i < 0 {
					i, rows = len(rows), append(rows, &row{o: o})
				}
				rows[i].verbs = append(rows[i].verbs, v.Name)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b *row) int { return strings.Compare(a.o.name, b.o.name) })
	table := "| flag | variable | default | verbs | meaning |\n|---|---|---|---|---|\n"
	for _, r := range rows {
		flag := strings.TrimSpace("--" + r.o.name + " " + r.o.arg)
		value := ""
		if r.o.deflt != "" {
			value = "`" + r.o.deflt + "`"
		}
		table += fmt.Sprintf("| `%s` | `%s` | %s | %s | %s |\n",
			cell(flag), variable(r.verbs[0], r.o.name), value, strings.Join(r.verbs, ", "), cell(r.o.usage))
	}
	return table
}

func codeTable() string {
	table := "| code | meaning |\n|---|---|\n"
	for _, c := range bootstrap.ExitCodes() {
		table += fmt.Sprintf("| %s | %s |\n", c.Code, cell(c.Meaning))
	}
	return table
}

// cell is a text that no table takes for its own.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
