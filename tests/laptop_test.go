package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// laptop is the working directory of a user who has Docker but no entrain.
type laptop struct {
	t     *testing.T
	dir   string
	image string
}

// newLaptop makes a directory with data for the example. Its owner is not root.
func newLaptop(t *testing.T) *laptop {
	t.Helper()
	l := &laptop{t: t, image: exampleImage(t), dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(l.dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.dir, "data/points"), []byte("1 3\n2 5\n3 7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		must(t, "chown", "-R", "1234:1234", l.dir)
	}
	return l
}

// paste runs a line in the directory. It replaces IMAGE by the name of the image.
func (l *laptop) paste(line string) (out string, code int) {
	l.t.Helper()
	withImage := strings.NewReplacer("IMAGE=IMAGE ", "IMAGE="+l.image+" ", " IMAGE ", " "+l.image+" ")
	cmd := exec.Command("sh", "-c", withImage.Replace(line))
	cmd.Dir = l.dir
	data, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		l.t.Fatal(err)
	}
	return string(data), cmd.ProcessState.ExitCode()
}

// scaffold runs entrain scaffold in a container and returns the lines that it advises to paste.
func (l *laptop) scaffold(options, flags string) (lines []string) {
	l.t.Helper()
	entrain := `docker run --rm -v "$PWD:/w" ` + options + ` --entrypoint entrain IMAGE `
	out, code := l.paste(entrain + "scaffold " + flags)
	if code != 0 {
		l.t.Fatalf("exit code %d\n%s", code, out)
	}
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, "  "); ok {
			lines = append(lines, strings.TrimSpace(rest))
		}
	}
	return lines
}

// mustPaste runs a line that must succeed and returns its output.
func (l *laptop) mustPaste(line string) string {
	l.t.Helper()
	out, code := l.paste(line)
	if code != 0 {
		l.t.Fatalf("%s: exit code %d\n%s", line, code, out)
	}
	return out
}

// foreignFiles returns the files that do not belong to the user.
func (l *laptop) foreignFiles() (names []string) {
	l.t.Helper()
	var info syscall.Stat_t
	if err := syscall.Stat(l.dir, &info); err != nil {
		l.t.Fatal(err)
	}
	owner := strconv.Itoa(int(info.Uid))
	return strings.Fields(must(l.t, "find", l.dir, "!", "-uid", owner))
}

// TestScaffoldInContainerMakesUsableTree checks that a tree that scaffold makes in a container belongs to the
// user, and that the lines that scaffold prints train the example. Images with a user of their own train it
// too.
func TestScaffoldInContainerMakesUsableTree(t *testing.T) {
	for _, c := range []struct{ name, options, dir, user string }{
		{"as root", "", "/w/job", ""},
		{"as the user", "--user " + userID(), "/w/job", "4321"},
		{"under an init", "--init -w /w", "deep/er", "nobody"},
		{"with an odd name", "-w /w", `'an odd: "na''me"$x, too'`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLaptop(t)
			lines := l.scaffold(c.options, "--hp lr=0.05 --hp epochs=200 --data train=/w/data "+c.dir)
			if files := l.foreignFiles(); len(files) > 0 {
				t.Errorf("these files do not belong to the user: %v", files)
			}
			if c.user != "" {
				l.image = l.derive(c.user)
			}
			if len(lines) != 2 {
				t.Fatalf("lines to paste: %q", lines)
			}
			if out := l.mustPaste(lines[0]); !strings.Contains(out, "\nargv     --lr\nargv     0.05\n") {
				t.Errorf("the plan is\n%s", out)
			}
			out := l.mustPaste(lines[1])
			models := must(t, "find", l.dir, "-path", "*/model/model.json", "-size", "+1c", "-printf", "%f\n")
			if models != "model.json\n" || !strings.Contains(out, "trained: y = 2.00 * x + 0.99") {
				t.Errorf("models: %q\n%s", models, out)
			}
		})
	}
}

// derive builds the example's image with another user, and with the trainer in /opt/ml, which no mount may
// hide.
func (l *laptop) derive(user string) string {
	l.t.Helper()
	tag, dir := fmt.Sprintf("entrain-test-laptop:%d", os.Getpid()), l.t.TempDir()
	dockerfile := "FROM " + l.image + "\nRUN mkdir -p /opt/ml/code && mv /opt/train.py /opt/ml/code/\n" +
		"USER " + user + "\n" +
		`ENTRYPOINT ["entrain", "run", "--", "python3", "/opt/ml/code/train.py"]`
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		l.t.Fatal(err)
	}
	must(l.t, "docker", "build", "-q", "-t", tag, dir)
	l.t.Cleanup(func() { run(l.t, "docker", "rmi", "-f", tag) })
	return tag
}

// TestScaffoldWithoutMountSaysTreeIsLost checks that scaffold advises no line to paste if the tree ends with
// the container, since that line would not find the tree.
func TestScaffoldWithoutMountSaysTreeIsLost(t *testing.T) {
	l := newLaptop(t)
	out := l.mustPaste("docker run --rm --entrypoint entrain IMAGE scaffold /tmp/job")
	const says = "/tmp/job is in the container alone, and ends with it. To keep it, mount a directory:\n"
	if !strings.Contains(out, says) || strings.Contains(out, "/opt/ml") {
		t.Error(out)
	}
}

// TestComposeTrainsThreeHosts checks that three hosts train together on a laptop, and that the failure of one
// ends all.
func TestComposeTrainsThreeHosts(t *testing.T) {
	needDocker(t)
	words := strings.Split(strings.TrimSpace(must(t, "scripts/compose")), "\n")
	compose := words[len(words)-1]                 // lines about an installation may stand before it
	own := fmt.Sprintf("/w/hosts-%d", os.Getpid()) // the last element is the name of compose's project
	for _, c := range []struct {
		name, options, dir, user, flags string
		fails                           bool
	}{
		{name: "trains", dir: own},
		{name: "trains as a user", options: "--user " + userID(), dir: own + "-user", user: "nobody"},
		{name: "trains in an odd directory", options: "-w /w", dir: fmt.Sprintf(`'odd: "%d"$x'`, os.Getpid())},
		{name: "fails", dir: own + "-fail", flags: "--hp linger=600", fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLaptop(t)
			const flags = "--hosts 3 --all --hp lr=0.05 --hp epochs=200 --data train=/w/data "
			lines := l.scaffold(c.options, flags+c.flags+" "+c.dir)
			if c.user != "" {
				l.image = l.derive(c.user)
			}
			for i := range lines {
				lines[i] = strings.Replace(lines[i], "docker compose", compose, 1)
			}
			if len(lines) != 5 {
				t.Fatalf("lines to paste: %q", lines)
			}
			plan, up, ps, cat, down := lines[0], lines[1], lines[2], lines[3], lines[4]
			if out := l.mustPaste(plan); !strings.HasPrefix(out, "role     leader\n") {
				t.Errorf("the plan is\n%s", out)
			}
			t.Cleanup(func() { l.mustPaste(down) })
			if c.fails {
				l.spoil()
				l.failsTogether(up, ps, cat)
			} else {
				l.trainsTogether(up, ps)
			}
		})
	}
}

// trainsTogether runs all hosts twice. The files and containers of the first run must not disturb the second.
func (l *laptop) trainsTogether(up, ps string) {
	l.t.Helper()
	for range 2 {
		out := l.mustPaste(up)
		if ended := l.mustPaste(ps); len(exits(ended, 0)) != 3 {
			l.t.Errorf("want three exits with 0:\n%s\n%s", ended, out)
		}
		models, err := filepath.Glob(filepath.Join(l.dir, "*/algo-[123]/model/model.json"))
		if err != nil || len(models) != 3 {
			l.t.Errorf("models: %v\n%s", models, out)
		}
		for _, model := range models {
			if !strings.HasPrefix(read(l.t, model), `{"a": 2.00`) {
				l.t.Errorf("%s: %s", model, read(l.t, model))
			}
			if err := os.Remove(model); err != nil {
				l.t.Error(err)
			}
		}
	}
}

// spoil gives algo-2 data that its trainer cannot read.
func (l *laptop) spoil() {
	l.t.Helper()
	points, err := filepath.Glob(filepath.Join(l.dir, "*/algo-2/input/data/train/points"))
	if err != nil || len(points) != 1 {
		l.t.Fatal(points, err)
	}
	if err := os.WriteFile(points[0], []byte("no numbers\n"), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

// failsTogether runs all hosts, and checks the exit code and the failure file of each.
func (l *laptop) failsTogether(up, ps, cat string) {
	l.t.Helper()
	out, _ := l.paste(up)
	if ended := l.mustPaste(ps); len(exits(ended, 1)) != 3 {
		l.t.Errorf("want three exits with 1:\n%s\n%s", ended, out)
	}
	failures := l.mustPaste(cat)
	for _, want := range []string{
		"ValueError: could not convert string to float: 'no'\n", "algo-2: exit code 1: ValueError",
	} {
		if !strings.Contains(failures, want) {
			l.t.Errorf("want %q in the failure files:\n%s\n%s", want, failures, out)
		}
	}
}

// exits returns the parts of the output of ps that say that a container ended with a code. The plugin of
// Docker and docker-compose say it in different words.
func exits(ps string, code int) []string {
	return regexp.MustCompile(fmt.Sprintf(`Exited \(%d\)|Exit %d\b`, code, code)).FindAllString(ps, -1)
}

// userID returns the owner of the files that newLaptop makes, as docker run --user takes it. It is not root.
func userID() string {
	if os.Geteuid() == 0 {
		return "1234:1234"
	}
	return fmt.Sprintf("%d:%d", os.Geteuid(), os.Getegid())
}
