package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTimes: the table of times in docs/architecture.md has every named time of the code, under its name and
// in its room, and no other.
func TestTimes(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(top, "docs/architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n## Times\n")
	table, _, _ = strings.Cut(table, "\n## ")
	said := map[string]bool{}
	row := regexp.MustCompile("(?m)^\\| ([a-z/]+) \\| ((?:`[A-Za-z]+`(?:, )?)+) \\|")
	for _, m := range row.FindAllStringSubmatch(table, -1) {
		for name := range strings.SplitSeq(m[2], ", ") {
			said[m[1]+" "+strings.Trim(name, "`")] = true
		}
	}
	for _, name := range namedTimes(t) {
		if !said[name] {
			t.Errorf("docs/architecture.md has no row for the time %s", name)
		}
		delete(said, name)
	}
	for name := range said {
		t.Errorf("docs/architecture.md has a row for %s, and the code has no such time", name)
	}
}

// namedTimes are the constants of a length of time, and the functions of the files times.go and timeouts.go
// that return one. Each is given as its room and its name.
func namedTimes(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		room, _ := filepath.Rel(top, filepath.Dir(path))
		s := &timeSearch{known: map[string]bool{}, functions: strings.HasPrefix(filepath.Base(path), "time")}
		ast.Inspect(file, s.visit)
		for _, name := range s.names {
			names = append(names, room+" "+name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// timeSearch finds the named times of one file.
type timeSearch struct {
	functions bool            // functions count too
	known     map[string]bool // constants that are times
	names     []string
}

func (s *timeSearch) visit(n ast.Node) bool {
	switch d := n.(type) {
	case *ast.FuncDecl:
		if r := d.Type.Results; s.functions && r != nil && len(r.List) == 1 && isDuration(r.List[0].Type) {
			s.names = append(s.names, d.Name.Name)
		}
	case *ast.ValueSpec:
		for i, value := range d.Values {
			if s.isTime(value) && i < len(d.Names) && d.Names[i].Obj.Kind == ast.Con {
				s.known[d.Names[i].Name] = true
				s.names = append(s.names, d.Names[i].Name)
			}
		}
	}
	return true
}

// isTime says whether an expression holds a unit of time, or another time.
func (s *timeSearch) isTime(value ast.Expr) bool {
	found := false
	ast.Inspect(value, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.SelectorExpr:
			unit := regexp.MustCompile(`^(Milli|Micro)?[Ss]econd$|^Minute$|^Hour$`)
			if of, ok := x.X.(*ast.Ident); ok && of.Name == "time" && unit.MatchString(x.Sel.Name) {
				found = true
			}
		case *ast.Ident:
			found = found || s.known[x.Name]
		}
		return true
	})
	return found
}

func isDuration(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Duration"
}
