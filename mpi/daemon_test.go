package mpi

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// remote are words as real launchers gave them to an agent: see each case's name.
var remote = map[string]struct {
	words []string
	want  Daemon
}{
	"Open MPI 4.1.4": {
		[]string{
			" orted", "-mca", "ess", `"env"`, "-mca", "ess_base_vpid", "1", "-mca", "orte_node_regex", `"vm,algo-[2:10],algo-[1:2,1]@0(4)"`,
			"-mca", "orte_hnp_uri", `"1010761728.0;tcp://10.0.0.1,172.17.0.1:52091;tcp6://[fd00::2]:60401"`, "-mca", "plm", `"rsh"`, "--tree-spawn",
			"-mca", "pmix", `"^s1,s2,cray,isolated"`,
		},
		Daemon{Argv: []string{
			"orted", "-mca", "ess", "env", "-mca", "ess_base_vpid", "1", "-mca", "orte_node_regex", "vm,algo-[2:10],algo-[1:2,1]@0(4)",
			"-mca", "orte_hnp_uri", "1010761728.0;tcp://10.0.0.1,172.17.0.1:52091;tcp6://[fd00::2]:60401", "-mca", "plm", "rsh", "--tree-spawn",
			"-mca", "pmix", "^s1,s2,cray,isolated",
		}},
	},
	"Open MPI 4.1.4 by its absolute path": {
		[]string{
			"          PATH=/usr/bin:$PATH ; export PATH ; LD_LIBRARY_PATH=/usr/lib:${LD_LIBRARY_PATH:-} ; export LD_LIBRARY_PATH ; " +
				"DYLD_LIBRARY_PATH=/usr/lib:${DYLD_LIBRARY_PATH:-} ; export DYLD_LIBRARY_PATH ;   /usr/bin/orted",
			"-mca", "ess", `"env"`,
		},
		Daemon{
			[]string{"/usr/bin/orted", "-mca", "ess", "env"},
			[]string{"PATH=/usr/bin:/bin:/usr/bin", "LD_LIBRARY_PATH=/usr/lib:", "DYLD_LIBRARY_PATH=/usr/lib:"},
		},
	},
	"Open MPI 4.1.4, login shell sh": {
		[]string{"(", "test", "!", "-r", "./.profile", "||", ".", "./.profile;", " orted", "-mca", "ess", `"env"`, ")"},
		Daemon{Argv: []string{"orted", "-mca", "ess", "env"}},
	},
	"Open MPI 5.0.7": {
		[]string{
			"PRTE_PREFIX=/usr;export PRTE_PREFIX;LD_LIBRARY_PATH=/usr/lib:/usr/lib/x86_64-linux-gnu/pmix2/lib:$LD_LIBRARY_PATH;export LD_LIBRARY_PATH;" +
				"DYLD_LIBRARY_PATH=/usr/lib:$DYLD_LIBRARY_PATH;export DYLD_LIBRARY_PATH;/usr/bin/prted",
			"--allow-run-as-root", "--prtemca", "ess_base_nspace", `"prterun-94587d8d79f3-10@0"`, "--tree-spawn",
		},
		Daemon{
			[]string{"/usr/bin/prted", "--allow-run-as-root", "--prtemca", "ess_base_nspace", "prterun-94587d8d79f3-10@0", "--tree-spawn"},
			[]string{"PRTE_PREFIX=/usr", "LD_LIBRARY_PATH=/usr/lib:/usr/lib/x86_64-linux-gnu/pmix2/lib:", "DYLD_LIBRARY_PATH=/usr/lib:"},
		},
	},
	"Open MPI 5.0.7, login shell sh": {
		[]string{"(", "test", "!", "-r", "./.profile", "||", ".", "./.profile;", "PRTE_PREFIX=/usr;export PRTE_PREFIX;/usr/bin/prted", "--prtemca", "ess", `"env"`, ")"},
		Daemon{[]string{"/usr/bin/prted", "--prtemca", "ess", "env"}, []string{"PRTE_PREFIX=/usr"}},
	},
	"MPICH 4.0.2": {
		[]string{`"/usr/bin/hydra_pmi_proxy"`, "--control-port", "127.0.0.1:41239", "--usize", "-2", "--proxy-id", "0"},
		Daemon{Argv: []string{"/usr/bin/hydra_pmi_proxy", "--control-port", "127.0.0.1:41239", "--usize", "-2", "--proxy-id", "0"}},
	},
	"Intel MPI, by others' reports": {
		[]string{"/opt/intel/mpi/2021.2.0/bin//hydra_bstrap_proxy", "--upstream-host", "leader", "--tree-width", "16", "--proxy-id", "1"},
		Daemon{Argv: []string{"/opt/intel/mpi/2021.2.0/bin//hydra_bstrap_proxy", "--upstream-host", "leader", "--tree-width", "16", "--proxy-id", "1"}},
	},
	"every way of quoting": {
		[]string{`A='a b' ;`, "B=$A\\;c\\\n; export B A ; B2=\"$B\\$\\q\"'$A'${no:-x y} ; export B2 ; A=1 C=$A D= orted", `"$A" '' "\"\\\x" a\ b x=y '\' é`},
		Daemon{
			[]string{"orted", "a b", "", `"\\x`, "a b", "x=y", `\`, "é"},
			[]string{"A=1", "B=a b;c", `B2=a b;c$\q$Ax y`, "C=1", "D="},
		},
	},
	"what is not exported stays behind, unless the host has it": {
		[]string{"A=1 ; PATH=/x:$PATH ; export LATER ; LATER=2 ; orted"},
		Daemon{[]string{"orted"}, []string{"PATH=/x:/bin:/usr/bin", "LATER=2"}},
	},
}

var hostEnv = []string{"PATH=/bin:/usr/bin", "PATH=/second", "HOME=/h"}

func TestParseDaemon(t *testing.T) {
	for name, c := range remote {
		t.Run(name, func(t *testing.T) {
			got, err := ParseDaemon(c.words, hostEnv)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestShellReadsTheSame gives the same words to a real shell, which starts a program that shows what it was given.
func TestShellReadsTheSame(t *testing.T) {
	dir := t.TempDir()
	show := "#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\" >" + dir + "/argv\nexec /usr/bin/env -0 >" + dir + "/env\n"
	for _, name := range daemons() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(show), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=" + dir + ":/bin:/usr/bin", "HOME=" + dir}
	for name, c := range remote {
		t.Run(name, func(t *testing.T) {
			words := slices.Clone(c.words)
			for i := range words { // the daemons are elsewhere
				for _, prefix := range []string{"/usr/bin/", "/opt/intel/mpi/2021.2.0/bin//"} {
					for _, daemon := range daemons() {
						words[i] = strings.ReplaceAll(words[i], prefix+daemon, dir+"/"+daemon)
					}
				}
			}
			got, err := ParseDaemon(words, env)
			if err != nil {
				t.Fatal(err)
			}
			sh := exec.Command("/bin/sh", "-c", strings.Join(words, " "))
			sh.Env, sh.Dir = env, dir
			if out, err := sh.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			argv, environ := strings.Split(read(t, dir+"/argv"), "\x00"), strings.Split(read(t, dir+"/env"), "\x00")
			if diff := cmp.Diff(argv[1:len(argv)-1], got.Argv[1:]); diff != "" {
				t.Errorf("arguments (-shell +got):\n%s", diff)
			}
			for _, set := range got.Env {
				if !slices.Contains(environ, set) {
					t.Errorf("%q is not in the shell's %q", set, environ)
				}
			}
			if slices.ContainsFunc(environ, func(e string) bool { return strings.HasPrefix(e, "A=") }) && strings.HasPrefix(name, "what") {
				t.Error("the shell exports A")
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestParseDaemonRefuses(t *testing.T) {
	const bare = ": expected none of it outside quotes"
	const daemon = ": expected orted, prted, hydra_pmi_proxy, hydra_bstrap_proxy, by name or absolute path"
	for words, want := range map[string]string{
		"":                            "remote command: the end at byte 0" + daemon,
		"  ":                          "remote command: the end at byte 2" + daemon,
		"A=1":                         "remote command: the end at byte 3" + daemon,
		"A=1 ;":                       "remote command: the end at byte 5" + daemon,
		"; orted":                     `remote command: "; orted" at byte 0` + daemon,
		"/bin/sh -c orted":            `remote command: "/bin/sh -c orted" at byte 0` + daemon,
		"./orted":                     `remote command: "./orted" at byte 0` + daemon,
		"bin/orted":                   `remote command: "bin/orted" at byte 0` + daemon,
		"/bin/orted/":                 `remote command: "/bin/orted/" at byte 0` + daemon,
		"/bin/orted/sh":               `remote command: "/bin/orted/sh" at byte 0` + daemon,
		"env orted":                   `remote command: "env orted" at byte 0` + daemon,
		"A=1 export A ; orted":        `remote command: "export A ; orted" at byte 4` + daemon,
		"set path = ( /x ) ; orted":   `remote command: "set path = ( /x ) ; orted" at byte 0` + daemon,
		"1A=1 orted":                  `remote command: "1A=1 orted" at byte 0` + daemon,
		"A+=1 orted":                  `remote command: "A+=1 orted" at byte 0` + daemon,
		"export A=1 ; orted":          `remote command: "=1 ; orted" at byte 8: expected export NAME ;`,
		"export ; orted":              `remote command: "; orted" at byte 7: expected export NAME ;`,
		"export A":                    `remote command: the end at byte 8: expected export NAME ;`,
		"export -n A ; orted":         `remote command: "-n A ; orted" at byte 7: expected export NAME ;`,
		"orted ; rm -rf /":            `remote command: "; rm -rf /" at byte 6: expected nothing more after the daemon's arguments`,
		"orted )":                     `remote command: ")" at byte 6: expected nothing more after the daemon's arguments`,
		"orted && sh":                 `remote command: "&& sh" at byte 6` + bare,
		"orted | sh":                  `remote command: "| sh" at byte 6` + bare,
		"orted > x":                   `remote command: "> x" at byte 6` + bare,
		"orted <x":                    `remote command: "<x" at byte 6` + bare,
		"orted & ":                    `remote command: "& " at byte 6` + bare,
		"orted\nsh":                   `remote command: "\nsh" at byte 5` + bare,
		"orted `id`":                  "remote command: \"`id`\" at byte 6" + bare,
		"orted $(id)":                 `remote command: "$(id)" at byte 6` + bare,
		"orted $A":                    `remote command: "$A" at byte 6` + bare,
		"orted *":                     `remote command: "*" at byte 6` + bare,
		"orted a?":                    `remote command: "?" at byte 7` + bare,
		"orted [a]":                   `remote command: "[a]" at byte 6` + bare,
		"orted ~":                     `remote command: "~" at byte 6` + bare,
		"orted #":                     `remote command: "#" at byte 6` + bare,
		"orted {a,b}":                 `remote command: "{a,b}" at byte 6` + bare,
		"A=~ orted":                   `remote command: "~ orted" at byte 2` + bare,
		"(orted)":                     `remote command: "(orted)" at byte 0` + bare,
		"orted \"`id`\"":              "remote command: \"`id`\\\"\" at byte 7: expected no ` in double quotes",
		`orted "$(id)"`:               `remote command: "$(id)\"" at byte 7: expected $NAME, ${NAME}, ${NAME:-} or ${NAME:-word}`,
		`orted "$"`:                   `remote command: "$\"" at byte 7: expected $NAME`,
		`orted "$1"`:                  `remote command: "$1\"" at byte 7: expected $NAME`,
		`A=${A:=x} orted`:             `remote command: "${A:=x} orted" at byte 2: expected $NAME`,
		`A=${A:-$(id)} orted`:         `remote command: "${A:-$(id)} orted" at byte 2: expected $NAME`,
		`A=${A orted`:                 `remote command: "${A orted" at byte 2: expected $NAME`,
		`A=${A:-x orted`:              `remote command: "${A:-x orted" at byte 2: expected $NAME`,
		`A=${!A} orted`:               `remote command: "${!A} orted" at byte 2: expected $NAME`,
		`orted "a`:                    `remote command: "\"a" at byte 6: expected a double quote that ends`,
		`orted 'a`:                    `remote command: "'a" at byte 6: expected a single quote that ends`,
		`orted a\`:                    `remote command: "\\" at byte 7: expected something after the backslash`,
		"orted a\x00b":                `remote command: "\x00b" at byte 7: expected no NUL byte`,
		profile + " orted":            `remote command: the end at byte 45: expected the ) that closes the words`,
		profile + " orted ) ; sh":     `remote command: "; sh" at byte 48: expected nothing more`,
		"( . ./.profile; orted )":     `remote command: "( . ./.profile; orted )" at byte 0` + bare,
		"orted '" + "' ; sh '" + "a'": `remote command: "; sh 'a'" at byte 9: expected nothing more`,
	} {
		if got, err := ParseDaemon([]string{words}, hostEnv); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %q, %v\nwant %s", words, got, err, want)
		}
	}
}
