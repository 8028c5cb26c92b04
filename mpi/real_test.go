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

// launchers finds every mpirun of this machine. It skips the test where there is none.
func launchers(t *testing.T) map[string]Launcher {
	t.Helper()
	found, seen := map[string]Launcher{}, map[string]bool{}
	// The first two are Debian's names. On Debian, mpirun is a link to one of them.
	for _, name := range []string{"mpirun.openmpi", "mpirun.mpich", "mpirun"} {
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

// prepare writes a launch's hostfiles, its agent and its rank. It gives the environment that mpirun needs.
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
	// Two daemons of Open MPI 4 on one machine share memory at an address that each chooses itself. Sometimes
	// one of them crashes. Without the component hwloc of rtc they share no memory.
	own := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LEADER=1", "OMPI_MCA_rtc=^hwloc"}
	return append(l.Env(), own...)
}

// start runs a command for at most a minute, and gives its output. Its exit code does not matter.
func start(t *testing.T, env []string, argv ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.WaitDelay = env, time.Second
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// TestLaunchersReadHostfile asks Open MPI where it would put each rank, with the built command and with a
// bare one.
func TestLaunchersReadHostfile(t *testing.T) {
	for program, launcher := range launchers(t) {
		if launcher.hydra() {
			continue // Hydra does not say it without a launch: see TestLaunchersStart
		}
		l := Launch{
			Launcher: launcher, Program: program, Trainer: []string{"true"},
			Hosts: []Host{{"algo-10", 3}, {"algo-2", 1}, {"algo-1", 2}},
		}
		l.Options, l.Interface = strings.Fields("--display-map --do-not-launch"), "lo"
		if launcher.Family == FamilyOpenMPI5 { // it refuses the interface lo
			l.Interface = ""
			l.Options = strings.Fields("--display map --do-not-launch")
		}
		env := prepare(t, &l)
		bare := slices.Concat([]string{program}, l.Options, []string{"-np", "6", "true"})
		placed := regexp.MustCompile(
			`Data for node: (\S+)\s+Num slots: (\d+).*Num procs: (\d+)|Process rank: (\d+)`)
		want := []string{"algo-1033", "0", "1", "2", "algo-211", "3", "algo-122", "4", "5"}
		for _, argv := range [][]string{l.Argv(), bare} {
			out := start(t, env, argv...)
			var got []string
			for _, m := range placed.FindAllStringSubmatch(out, -1) {
				got = append(got, strings.Join(m[1:], ""))
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s %s: %q says %q, want %q:\n%s", program, launcher.Version, argv, got, want, out)
			}
			if strings.Contains(out, "Bound: ") && !strings.Contains(out, "Bound: N/A") {
				t.Errorf("%s: ranks are bound:\n%s", program, out)
			}
		}
	}
}

// TestLaunchersStart starts ranks on two hosts, whose daemons run on this machine. Each rank knows its place
// and has the environment of its own host. Of the leader's variables it has only those that the options set.
// All this holds for the built command and for a bare mpirun.
func TestLaunchersStart(t *testing.T) {
	for program, launcher := range launchers(t) {
		t.Run(program, func(t *testing.T) {
			l := Launch{
				Launcher: launcher, Program: program, Interface: "lo",
				Hosts:   []Host{{"algo-10", 2}, {"algo-2", 1}},
				Options: []string{"-x", "SET=a b"}, Trainer: []string{"x y", "$HOME", ""},
			}
			if launcher.hydra() {
				l.Options = []string{"-genv", "SET", "a b"}
			}
			if launcher.Family == FamilyOpenMPI5 { // two of its daemons crash on one machine
				l.Hosts, l.Interface = l.Hosts[:1], ""
			}
			env := prepare(t, &l)
			bare := slices.Concat([]string{program, "-np", strconv.Itoa(l.processes())}, l.Options, l.Rank, l.Trainer)
			for _, argv := range [][]string{l.Argv(), bare} {
				out, rank := start(t, env, argv...), 0
				for _, host := range l.Hosts {
					for local := range host.Slots {
						want := fmt.Sprintf(`RANK=%d LOCAL_RANK=%d WORLD_SIZE=%d LOCAL_WORLD_SIZE=%d `+
							`HOST_IS=%s `+
							`LEADER= SET=a b ["--" "x y" "$HOME" ""]`+"\n",
							rank, local, l.processes(), host.Slots, host.Name)
						if strings.Count(out, want) != 1 {
							t.Errorf("%s %s: %q: no %q in\n%s", program, launcher.Version, argv, want, out)
						}
						rank++
					}
				}
				whole := regexp.MustCompile(`(?m)^RANK=`).FindAllString(out, -1)
				if isBare := argv[3] == l.Options[0]; len(whole) != rank && !isBare {
					t.Errorf("%s: %q: lines do not come as they are:\n%s", program, argv, out)
				}
			}
		})
	}
}

// TestLaunchersTakeTheUsersOptions: every launcher starts with the hosts, counts and prefixes that the user's
// options give.
func TestLaunchersTakeTheUsersOptions(t *testing.T) {
	for program, launcher := range launchers(t) {
		l := Launch{
			Launcher: launcher, Program: program, Hosts: []Host{{"localhost", 1}}, Interface: "lo",
			Trainer: []string{"echo", "started"},
		}
		env := prepare(t, &l)
		l.Rank = nil
		file := l.Hostfile + ".mine"
		options := []string{
			"--host localhost:1", "-H localhost:1", "--hostfile " + file, "-machinefile " + file, "-np 1",
			"--tag-output",
		}
		line := "localhost slots=1\n"
		if launcher.hydra() {
			options = []string{
				"-hosts localhost", "-host localhost:1", "--hosts=localhost", "-hostlist localhost", "-machine localhost",
				"-f " + file, "-machinefile " + file, "--hostfile=" + file, "-n 1", "-np=1", "-prepend-rank", "-l",
				"-prepend-pattern x", "-localhost localhost",
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
