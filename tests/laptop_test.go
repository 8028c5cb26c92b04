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

// laptop is a directory of a user who has Docker, and no entrain.
type laptop struct {
	t     *testing.T
	dir   string
	image string
}

// newLaptop makes the directory somebody's who is not root, with data for the example.
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

// paste runs a line in the directory, with the image's name put in.
func (l *laptop) paste(line string) (out string, code int) {
	l.t.Helper()
	line = strings.NewReplacer("IMAGE=IMAGE ", "IMAGE="+l.image+" ", " IMAGE ", " "+l.image+" ").Replace(line)
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = l.dir
	data, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		l.t.Fatal(err)
	}
	return string(data), cmd.ProcessState.ExitCode()
}

// scaffold calls entrain in a container, and gives the lines that it prints for pasting.
func (l *laptop) scaffold(options, flags string) (lines []string) {
	l.t.Helper()
	out, code := l.paste(`docker run --rm -v "$PWD:/w" ` + options + ` --entrypoint entrain IMAGE scaffold ` + flags)
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

// lets runs a line that must succeed.
func (l *laptop) lets(line string) string {
	l.t.Helper()
	out, code := l.paste(line)
	if code != 0 {
		l.t.Fatalf("%s: exit code %d\n%s", line, code, out)
	}
	return out
}

// strangers are the files that are not the user's.
func (l *laptop) strangers() (names []string) {
	l.t.Helper()
	var top syscall.Stat_t
	if err := syscall.Stat(l.dir, &top); err != nil {
		l.t.Fatal(err)
	}
	owner := strconv.Itoa(int(top.Uid))
	return strings.Fields(must(l.t, "find", l.dir, "!", "-uid", owner))
}

// TestScaffoldInContainer: a tree that is made in a container belongs to the user, and the lines that are
// printed train the example, also as an image's own user.
func TestScaffoldInContainer(t *testing.T) {
	for _, c := range []struct{ name, options, dir, user string }{
		{"as root", "", "/w/job", ""},
		{"as the user", "--user " + userID(), "/w/job", "4321"},
		{"under an init", "--init -w /w", "deep/er", "nobody"},
		{"with an odd name", "-w /w", `'an odd: "na''me"$x, too'`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLaptop(t)
			lines := l.scaffold(c.options, "--hp lr=0.05 --hp epochs=200 --data train=/w/data "+c.dir)
			if others := l.strangers(); len(others) > 0 {
				t.Errorf("not the user's: %v", others)
			}
			if c.user != "" {
				l.image = l.derive(c.user)
			}
			if len(lines) != 2 {
				t.Fatalf("lines to paste: %q", lines)
			}
			if out := l.lets(lines[0]); !strings.Contains(out, "\nargv     --lr\nargv     0.05\n") {
				t.Errorf("the plan is\n%s", out)
			}
			out := l.lets(lines[1])
			models := must(t, "find", l.dir, "-path", "*/model/model.json", "-size", "+1c", "-printf", "%f\n")
			if models != "model.json\n" || !strings.Contains(out, "trained: y = 2.00 * x + 0.99") {
				t.Errorf("models: %q\n%s", models, out)
			}
		})
	}
}

// derive is the example's image for another user, and with the trainer where no mount may hide it.
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

// TestScaffoldKeptNowhere: of a tree that ends with its container no line speaks that could not find it.
func TestScaffoldKeptNowhere(t *testing.T) {
	l := newLaptop(t)
	out := l.lets("docker run --rm --entrypoint entrain IMAGE scaffold /tmp/job")
	const says = "/tmp/job is in the container alone, and ends with it. To keep it, mount a directory:\n"
	if !strings.Contains(out, says) || strings.Contains(out, "/opt/ml") {
		t.Error(out)
	}
}

// TestCompose: three hosts train together on a laptop, and the failure of one is the end of all.
func TestCompose(t *testing.T) {
	needDocker(t)
	words := strings.Split(strings.TrimSpace(must(t, "scripts/compose")), "\n")
	compose := words[len(words)-1]                 // what it has installed stands before
	own := fmt.Sprintf("/w/hosts-%d", os.Getpid()) // its base is the name of compose's project
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
			if out := l.lets(plan); !strings.HasPrefix(out, "role     leader\n") {
				t.Errorf("the plan is\n%s", out)
			}
			t.Cleanup(func() { l.lets(down) })
			if c.fails {
				l.spoil()
				l.failsTogether(up, ps, cat)
			} else {
				l.trainsTogether(up, ps)
			}
		})
	}
}

// trainsTogether runs all hosts, twice: what is left of the first time is in nobody's way.
func (l *laptop) trainsTogether(up, ps string) {
	l.t.Helper()
	for range 2 {
		out := l.lets(up)
		if ended := l.lets(ps); len(exits(ended, 0)) != 3 {
			l.t.Errorf("expected three exits with 0:\n%s\n%s", ended, out)
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

// spoil gives algo-2 data on which its trainer fails.
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

// failsTogether runs all hosts, and looks at what each says of its end.
func (l *laptop) failsTogether(up, ps, cat string) {
	l.t.Helper()
	out, _ := l.paste(up)
	if ended := l.lets(ps); len(exits(ended, 1)) != 3 {
		l.t.Errorf("expected three exits with 1:\n%s\n%s", ended, out)
	}
	failures := l.lets(cat)
	for _, want := range []string{
		"ValueError: could not convert string to float: 'no'\n", "algo-2: exit code 1: ValueError",
	} {
		if !strings.Contains(failures, want) {
			l.t.Errorf("expected %q in the failure files:\n%s\n%s", want, failures, out)
		}
	}
}

// exits are the containers that ended with a code, as the plugin and as docker-compose say it.
func exits(ps string, code int) []string {
	return regexp.MustCompile(fmt.Sprintf(`Exited \(%d\)|Exit %d\b`, code, code)).FindAllString(ps, -1)
}

// userID is who is no root, for docker's flag: the owner of what newLaptop makes.
func userID() string {
	if os.Geteuid() == 0 {
		return "1234:1234"
	}
	return fmt.Sprintf("%d:%d", os.Geteuid(), os.Getegid())
}
