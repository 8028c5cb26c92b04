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

func TestParseDaemonReadsWordsOfEveryLauncher(t *testing.T) {
	for name, c := range launcherWords {
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

// TestShellReadsTheSameWords gives the words to a real shell. The shell starts a program that records its
// arguments and its environment.
func TestShellReadsTheSameWords(t *testing.T) {
	dir := t.TempDir()
	show := "#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\" >" + dir + "/argv\nexec /usr/bin/env -0 >" + dir + "/env\n"
	for _, name := range daemonNames() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(show), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=" + dir + ":/bin:/usr/bin", "HOME=" + dir}
	for name, c := range launcherWords {
		t.Run(name, func(t *testing.T) {
			words := slices.Clone(c.words)
			for i := range words { // this test has its daemons in dir
				for _, prefix := range []string{"/usr/bin/", "/opt/intel/mpi/2021.2.0/bin//"} {
					for _, daemon := range daemonNames() {
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
			argv := strings.Split(read(t, dir+"/argv"), "\x00")
			environ := strings.Split(read(t, dir+"/env"), "\x00")
			if diff := cmp.Diff(argv[1:len(argv)-1], got.Argv[1:]); diff != "" {
				t.Errorf("arguments (-shell +got):\n%s", diff)
			}
			for _, set := range got.Env {
				if !slices.Contains(environ, set) {
					t.Errorf("%q is not in the shell's %q", set, environ)
				}
			}
			exportsA := slices.ContainsFunc(environ, func(e string) bool { return strings.HasPrefix(e, "A=") })
			if exportsA && strings.HasPrefix(name, "what is not exported") {
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

func TestParseDaemonRefusesEverythingElse(t *testing.T) {
	const outsideQuotes = ": expected none of it outside quotes"
	const notADaemon = ": expected orted, prted, hydra_pmi_proxy, hydra_bstrap_proxy, by name or absolute path"
	const nothingMore = ": expected nothing more after the daemon's arguments"
	const variableForms = "$NAME, ${NAME}, ${NAME:-} or ${NAME:-word}"
	for words, want := range map[string]string{
		"":                              "remote command: the end at byte 0" + notADaemon,
		"  ":                            "remote command: the end at byte 2" + notADaemon,
		"A=1":                           "remote command: the end at byte 3" + notADaemon,
		"A=1 ;":                         "remote command: the end at byte 5" + notADaemon,
		"; orted":                       `remote command: "; orted" at byte 0` + notADaemon,
		"/bin/sh -c orted":              `remote command: "/bin/sh -c orted" at byte 0` + notADaemon,
		"./orted":                       `remote command: "./orted" at byte 0` + notADaemon,
		"bin/orted":                     `remote command: "bin/orted" at byte 0` + notADaemon,
		"/bin/orted/":                   `remote command: "/bin/orted/" at byte 0` + notADaemon,
		"/bin/orted/sh":                 `remote command: "/bin/orted/sh" at byte 0` + notADaemon,
		"env orted":                     `remote command: "env orted" at byte 0` + notADaemon,
		"A=1 export A ; orted":          `remote command: "export A ; orted" at byte 4` + notADaemon,
		"set path = ( /x ) ; orted":     `remote command: "set path = ( /x ) ; orted" at byte 0` + notADaemon,
		"1A=1 orted":                    `remote command: "1A=1 orted" at byte 0` + notADaemon,
		"A+=1 orted":                    `remote command: "A+=1 orted" at byte 0` + notADaemon,
		"export A=1 ; orted":            `remote command: "=1 ; orted" at byte 8: expected export NAME ;`,
		"export ; orted":                `remote command: "; orted" at byte 7: expected export NAME ;`,
		"export A":                      `remote command: the end at byte 8: expected export NAME ;`,
		"export -n A ; orted":           `remote command: "-n A ; orted" at byte 7: expected export NAME ;`,
		"orted ; rm -rf /":              `remote command: "; rm -rf /" at byte 6` + nothingMore,
		"orted )":                       `remote command: ")" at byte 6` + nothingMore,
		"orted && sh":                   `remote command: "&& sh" at byte 6` + outsideQuotes,
		"orted | sh":                    `remote command: "| sh" at byte 6` + outsideQuotes,
		"orted > x":                     `remote command: "> x" at byte 6` + outsideQuotes,
		"orted <x":                      `remote command: "<x" at byte 6` + outsideQuotes,
		"orted & ":                      `remote command: "& " at byte 6` + outsideQuotes,
		"orted\nsh":                     `remote command: "\nsh" at byte 5` + outsideQuotes,
		"orted `id`":                    "remote command: \"`id`\" at byte 6" + outsideQuotes,
		"orted $(id)":                   `remote command: "$(id)" at byte 6` + outsideQuotes,
		"orted $A":                      `remote command: "$A" at byte 6` + outsideQuotes,
		"orted *":                       `remote command: "*" at byte 6` + outsideQuotes,
		"orted a?":                      `remote command: "?" at byte 7` + outsideQuotes,
		"orted [a]":                     `remote command: "[a]" at byte 6` + outsideQuotes,
		"orted ~":                       `remote command: "~" at byte 6` + outsideQuotes,
		"orted #":                       `remote command: "#" at byte 6` + outsideQuotes,
		"orted {a,b}":                   `remote command: "{a,b}" at byte 6` + outsideQuotes,
		"A=~ orted":                     `remote command: "~ orted" at byte 2` + outsideQuotes,
		"(orted)":                       `remote command: "(orted)" at byte 0` + outsideQuotes,
		"orted \"`id`\"":                "remote command: \"`id`\\\"\" at byte 7: expected no ` in double quotes",
		`orted "$(id)"`:                 `remote command: "$(id)\"" at byte 7: expected ` + variableForms,
		`orted "$"`:                     `remote command: "$\"" at byte 7: expected $NAME`,
		`orted "$1"`:                    `remote command: "$1\"" at byte 7: expected $NAME`,
		`A=${A:=x} orted`:               `remote command: "${A:=x} orted" at byte 2: expected $NAME`,
		`A=${A:-$(id)} orted`:           `remote command: "${A:-$(id)} orted" at byte 2: expected $NAME`,
		`A=${A orted`:                   `remote command: "${A orted" at byte 2: expected $NAME`,
		`A=${A:-x orted`:                `remote command: "${A:-x orted" at byte 2: expected $NAME`,
		`A=${!A} orted`:                 `remote command: "${!A} orted" at byte 2: expected $NAME`,
		`orted "a`:                      `remote command: "\"a" at byte 6: a double quote has no end`,
		`orted 'a`:                      `remote command: "'a" at byte 6: a single quote has no end`,
		`orted a\`:                      `remote command: "\\" at byte 7: nothing follows the last backslash`,
		"orted a\x00b":                  `remote command: "\x00b" at byte 7: expected no NUL byte`,
		profilePrefix + " orted":        `remote command: the end at byte 45: expected the ) that closes the words`,
		profilePrefix + " orted ) ; sh": `remote command: "; sh" at byte 48: expected nothing more`,
		"( . ./.profile; orted )":       `remote command: "( . ./.profile; orted )" at byte 0` + outsideQuotes,
		"orted '" + "' ; sh '" + "a'":   `remote command: "; sh 'a'" at byte 9: expected nothing more`,
	} {
		if got, err := ParseDaemon([]string{words}, hostEnv); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %q, %v\nwant %s", words, got, err, want)
		}
	}
}
