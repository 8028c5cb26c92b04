package mpi

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is, by the name it was called, also the agent that a real launcher calls, or the rank that it starts.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "test-rsh":
		fail("agent", agent(os.Args[1:]))
	case "test-rank":
		r, err := RankOf(os.Environ())
		fail("rank", err)
		set := strings.Join(r.Env("algo-10", "29500"), " ")
		fmt.Printf("%s HOST_IS=%s LEADER=%s SET=%s %q\n", set, os.Getenv("HOST_IS"), os.Getenv("LEADER"), os.Getenv("SET"), os.Args[1:])
	default:
		os.Exit(m.Run())
	}
}

func fail(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "test %s: %v\n", what, err)
		os.Exit(3)
	}
}

// agent starts a launcher's daemon here, in an environment as of another host, which has a directory for temporary files of
// its own: Open MPI's daemons get in each other's way in a common one.
func agent(words []string) error {
	for words[0] == "-x" {
		words = words[1:]
	}
	tmp := filepath.Join(filepath.Dir(os.Args[0]), words[0])
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return err
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "HOST_IS=" + words[0], "TMPDIR=" + tmp}
	d, err := ParseDaemon(words[1:], env)
	if err != nil {
		return err
	}
	program, err := exec.LookPath(d.Argv[0])
	if err != nil {
		return err
	}
	return syscall.Exec(program, d.Argv, append(d.Env, env...))
}

// launchers are the image's or the machine's, of any family.
func launchers(t *testing.T) map[string]Launcher {
	t.Helper()
	found, seen := map[string]Launcher{}, map[string]bool{}
	for _, name := range []string{"mpirun.openmpi", "mpirun.mpich", "mpirun"} { // Debian's names, the last a link to one of them
		path, _ := exec.LookPath(name)
		path, _ = filepath.EvalSymlinks(path)
		if seen[path] {
			continue
		}
		seen[path] = true
		out, err := exec.Command(name, "--version").Output()
		if err != nil {
			continue
		}
		l, err := Identify(string(out))
		if err != nil {
			t.Fatal(err)
		}
		found[name] = l
	}
	if len(found) > 0 {
		return found
	}
	const reason = "no mpirun: apt-get install openmpi-bin mpich"
	if os.Getenv("REQUIRE_DOCKER") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
	return nil
}

// prepare writes a launch's hostfiles, its agent and its rank, and gives the environment that mpirun needs.
func prepare(t *testing.T, l *Launch) []string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l.Agent, l.Hostfile, l.Rank = dir+"/test-rsh", dir+"/hostfile", []string{dir + "/test-rank", "--"}
	for _, link := range []string{l.Agent, l.Rank[0]} {
		if err := os.Symlink(self, link); err != nil {
			t.Fatal(err)
		}
	}
	files, err := l.Hostfiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if err := os.WriteFile(file.Path, []byte(file.Text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Two of Open MPI 4's daemons on one machine share memory at an address of their own choice, and now and then one
	// of them crashes of it.
	return append(l.Env(), "PATH="+os.Getenv("PATH"), "HOME="+os.Getenv("HOME"), "LEADER=1", "OMPI_MCA_rtc=^hwloc")
}

func start(t *testing.T, env []string, argv ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.WaitDelay = env, time.Second
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, _ := cmd.CombinedOutput() // what it printed tells
	return string(out)
}

// TestLaunchersReadHostfile has Open MPI say where it would put which rank, by the built command and by a bare one.
func TestLaunchersReadHostfile(t *testing.T) {
	for program, launcher := range launchers(t) {
		if launcher.hydra() {
			continue // says nothing without launching: see TestLaunchersStart
		}
		l := Launch{Launcher: launcher, Program: program, Hosts: []Host{{"algo-10", 3}, {"algo-2", 1}, {"algo-1", 2}}, Trainer: []string{"true"}}
		l.Options, l.Interface = strings.Fields("--display-map --do-not-launch"), "lo"
		if launcher.Family == FamilyOpenMPI5 { // refuses lo
			l.Interface = ""
			l.Options = strings.Fields("--display map --do-not-launch")
		}
		env := prepare(t, &l)
		for _, argv := range [][]string{l.Argv(), append(append([]string{program}, l.Options...), "-np", "6", "true")} {
			out := start(t, env, argv...)
			var got []string
			for _, m := range regexp.MustCompile(`Data for node: (\S+)\s+Num slots: (\d+).*Num procs: (\d+)|Process rank: (\d+)`).FindAllStringSubmatch(out, -1) {
				got = append(got, strings.Join(m[1:], ""))
			}
			if want := []string{"algo-1033", "0", "1", "2", "algo-211", "3", "algo-122", "4", "5"}; !slices.Equal(got, want) {
				t.Errorf("%s %s: %q says %q, want %q:\n%s", program, launcher.Version, argv, got, want, out)
			}
			if strings.Contains(out, "Bound: ") && !strings.Contains(out, "Bound: N/A") {
				t.Errorf("%s: ranks are bound:\n%s", program, out)
			}
		}
	}
}

// TestLaunchersStart starts ranks on two hosts, whose daemons run here: each rank knows its place, has its own host's
// environment and none of the leader's but what the options set, by the built command and by a bare mpirun.
func TestLaunchersStart(t *testing.T) {
	for program, launcher := range launchers(t) {
		t.Run(program, func(t *testing.T) {
			l := Launch{
				Launcher: launcher, Program: program, Hosts: []Host{{"algo-10", 2}, {"algo-2", 1}}, Interface: "lo",
				Options: []string{"-x", "SET=a b"}, Trainer: []string{"x y", "$HOME", ""},
			}
			if launcher.hydra() {
				l.Options = []string{"-genv", "SET", "a b"}
			}
			if launcher.Family == FamilyOpenMPI5 { // two of its daemons on one machine end by a segmentation fault
				l.Hosts, l.Interface = l.Hosts[:1], ""
			}
			env := prepare(t, &l)
			bare := slices.Concat([]string{program, "-np", strconv.Itoa(l.processes())}, l.Options, l.Rank, l.Trainer)
			for _, argv := range [][]string{l.Argv(), bare} {
				out, rank := start(t, env, argv...), 0
				for _, host := range l.Hosts {
					for local := range host.Slots {
						want := fmt.Sprintf(`RANK=%d LOCAL_RANK=%d WORLD_SIZE=%d LOCAL_WORLD_SIZE=%d MASTER_ADDR=algo-10 MASTER_PORT=29500 HOST_IS=%s `+
							`LEADER= SET=a b ["--" "x y" "$HOME" ""]`+"\n", rank, local, l.processes(), host.Slots, host.Name)
						if strings.Count(out, want) != 1 {
							t.Errorf("%s %s: %q: no %q in\n%s", program, launcher.Version, argv, want, out)
						}
						rank++
					}
				}
				if tagged := regexp.MustCompile(`(?m)^\[(1,)?[012]\]\S* ?:?RANK=`).FindAllString(out, -1); len(tagged) != rank && argv[3] != l.Options[0] {
					t.Errorf("%s: %q: lines are not tagged:\n%s", program, argv, out)
				}
			}
		})
	}
}

// TestLaunchersTakeTheUsersWord: every launcher starts with hosts, counts and prefixes that the user's options give.
func TestLaunchersTakeTheUsersWord(t *testing.T) {
	for program, launcher := range launchers(t) {
		l := Launch{
			Launcher: launcher, Program: program, Hosts: []Host{{"localhost", 1}}, Interface: "lo", Trainer: []string{"echo", "started"},
		}
		env := prepare(t, &l)
		l.Rank = nil
		file := l.Hostfile + ".mine"
		options := []string{"--host localhost:1", "-H localhost:1", "--hostfile " + file, "-machinefile " + file, "-np 1", "--tag-output"}
		line := "localhost slots=1\n"
		if launcher.hydra() {
			options = []string{
				"-hosts localhost", "-host localhost:1", "--hosts=localhost", "-hostlist localhost", "-machine localhost",
				"-f " + file, "-machinefile " + file, "--hostfile=" + file, "-n 1", "-np=1", "-prepend-rank", "-l", "-prepend-pattern x",
				"-localhost localhost",
			}
			line = "localhost:1\n"
		}
		if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, words := range options {
			l.Options = strings.Fields(words)
			if out := start(t, env, l.Argv()...); strings.Count(out, "started") != 1 {
				t.Errorf("%s %s: %q:\n%s", program, launcher.Version, l.Argv(), out)
			}
		}
	}
}
