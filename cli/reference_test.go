//go:build linux

package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"entrain/bootstrap"
)

// reference is the page whose tables are made from the flags, the verbs and the exit codes.
const reference = "../docs/reference.md"

// TestReference: the tables of the reference agree with the code. UPDATE=1 writes them anew.
func TestReference(t *testing.T) {
	data, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	tables := map[string]string{"verbs": verbTable(), "flags": flagTable(), "exit codes": codeTable()}
	for name, table := range tables {
		if page, err = withTable(page, name, table); err != nil {
			t.Fatal(err)
		}
	}
	if page == string(data) {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("%s differs from the code; UPDATE=1 go test ./cli -run TestReference writes it anew", reference)
	}
	if err := os.WriteFile(reference, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}

// withTable puts a table between the two comments that have its name.
func withTable(page, name, table string) (string, error) {
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
	before, rest, found := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("%s lacks %q or %q", reference, begin, end)
	}
	return before + begin + table + end + after, nil
}

// shownVerbs are the verbs that the help shows.
func shownVerbs() table {
	verbs := newCommand([]string{"entrain", "run"}, nil, io.Discard, io.Discard).verbs
	return slices.DeleteFunc(verbs, func(v *verb) bool { return v.Hidden })
}

func verbTable() string {
	table := "| verb | what it does |\n|---|---|\n"
	for _, v := range shownVerbs() {
		names := "`" + cell(strings.TrimSpace(v.Name+" "+v.ArgsUsage)) + "`"
		for _, alias := range v.Aliases {
			names += ", `" + alias + "`"
		}
		table += fmt.Sprintf("| %s | %s |\n", names, cell(v.Usage))
	}
	return table
}

// flagRow is a flag with one meaning, and the verbs that have it.
type flagRow struct {
	o     *option
	verbs []string
}

// flagRows are all flags that the help shows, by name.
func flagRows() []*flagRow {
	var rows []*flagRow
	for _, v := range shownVerbs() {
		for _, o := range v.options() {
			i := slices.IndexFunc(rows, func(r *flagRow) bool { return r.o.String() == o.String() })
			if i < 0 {
				i, rows = len(rows), append(rows, &flagRow{o: o})
			}
			rows[i].verbs = append(rows[i].verbs, v.Name)
		}
	}
	slices.SortStableFunc(rows, func(a, b *flagRow) int { return strings.Compare(a.o.name, b.o.name) })
	return rows
}

// flagTable has one line for each flag and meaning, with the verbs that have it.
func flagTable() string {
	table := "| flag | variable | default | verbs | meaning |\n|---|---|---|---|---|\n"
	for _, r := range flagRows() {
		flag := strings.TrimSpace("--" + r.o.name + " " + r.o.valueName)
		value := ""
		if r.o.defaultValue != "" {
			value = "`" + r.o.defaultValue + "`"
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

// cell escapes a text for a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
