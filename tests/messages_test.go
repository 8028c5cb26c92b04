package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// excusedLines returns the advised lines for a Dockerfile that no test can build, since they need the user's
// files.
func excusedLines() []string {
	return []string{
		"RUN pip install -r /opt/ml/code/requirements.txt", "RUN pip install /opt/ml/code", "RUN chmod +x VALUE",
	}
}

// TestRunLinesInMessagesBuild checks that every RUN line that a message of entrain advises builds word for
// word, in the image of the example with a cluster key.
func TestRunLinesInMessagesBuild(t *testing.T) {
	needDocker(t)
	if err := buildExample(); err != nil {
		t.Fatal(err)
	}
	lines := map[string]string{}
	pattern := regexp.MustCompile("RUN [a-z][^)`\\n]*")
	for place, text := range programTexts(t) {
		for _, line := range pattern.FindAllString(text, -1) {
			line, _, _ = strings.Cut(line, ", or ")
			line, _, _ = strings.Cut(line, "; or ")
			lines[strings.TrimRight(line, ". ")] = place
		}
	}
	for _, line := range excusedLines() {
		if lines[line] == "" {
			t.Errorf("no message advises %s any more", line)
		}
		delete(lines, line)
	}
	if len(lines) < 3 {
		t.Fatalf("only %q found: the pattern does not match the messages any more", lines)
	}
	for line, place := range lines {
		cmd := exec.Command("docker", "build", "-q", "-")
		file := "FROM entrain-test-example\n" + line + "\n"
		if !strings.Contains(line, "keygen") {
			file = strings.Replace(file, "\n", "\nRUN entrain keygen /etc/entrain/cluster.key\n", 1)
		}
		cmd.Stdin = strings.NewReader(file)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %s: %v\n%s", place, line, err, out)
		}
	}
}

// shownTexts returns the texts of the pages and of the program, by place.
func shownTexts(t *testing.T) map[string]string {
	t.Helper()
	texts := programTexts(t)
	texts["Dockerfile.example"] = read(t, top, "Dockerfile.example")
	for _, page := range pages(t) {
		texts[page] = read(t, top, page)
	}
	return texts
}

// programTexts returns the texts in the program's source, by place. It replaces constants by their values and
// the verbs of formats by examples.
func programTexts(t *testing.T) map[string]string {
	t.Helper()
	set := token.NewFileSet()
	var files []*ast.File
	list := must(t, "git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go")
	for file := range strings.SplitSeq(strings.TrimSpace(list), "\n") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(set, filepath.Join(top, file), nil, 0)
		if err != nil {
			continue // it is deleted, but the deletion is not committed yet
		}
		files = append(files, parsed)
	}
	constants := map[string]string{}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == 1 && len(spec.Values) == 1 {
				if text, ok := evaluate(spec.Values[0], constants); ok {
					constants[spec.Names[0].Name] = text
				}
			}
			return true
		})
	}
	texts := map[string]string{}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			text, ok := evaluate(e, constants)
			if _, name := e.(*ast.Ident); ok && !name {
				text = strings.NewReplacer("%d", "1000", "%s", "/etc/entrain/cluster.key").Replace(text)
				texts[set.Position(e.Pos()).String()] = text
			}
			return !ok // the user never sees the parts of a sum alone
		})
	}
	return texts
}

// evaluate returns the text of a string literal, a constant or a sum that has one of them. Other terms of a
// sum become VALUE. It returns false for any other expression.
func evaluate(e ast.Expr, constants map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, e.Kind == token.STRING && err == nil
	case *ast.Ident:
		text, ok := constants[e.Name]
		return text, ok
	case *ast.BinaryExpr:
		left, ok1 := evaluate(e.X, constants)
		right, ok2 := evaluate(e.Y, constants)
		if e.Op != token.ADD || !ok1 && !ok2 {
			return "", false
		}
		if !ok1 {
			left = "VALUE"
		}
		if !ok2 {
			right = "VALUE"
		}
		return left + right, true
	}
	return "", false
}
