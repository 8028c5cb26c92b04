package mpi

// launcherWords are the words that real launchers gave to an agent, with the daemon that they ask for. The
// names of the first cases say which launcher; the last cases are made up.
var launcherWords = map[string]struct {
	words []string
	want  Daemon
}{
	"Open MPI 4.1.4": {
		[]string{
			" orted", "-mca", "ess", `"env"`, "-mca", "ess_base_vpid", "1",
			"-mca", "orte_node_regex", `"vm,algo-[2:10],algo-[1:2,1]@0(4)"`,
			"-mca", "orte_hnp_uri", `"1010761728.0;tcp://10.0.0.1,172.17.0.1:52091;tcp6://[fd00::2]:60401"`,
			"-mca", "plm", `"rsh"`, "--tree-spawn", "-mca", "pmix", `"^s1,s2,cray,isolated"`,
		},
		Daemon{Argv: []string{
			"orted", "-mca", "ess", "env", "-mca", "ess_base_vpid", "1",
			"-mca", "orte_node_regex", "vm,algo-[2:10],algo-[1:2,1]@0(4)",
			"-mca", "orte_hnp_uri", "1010761728.0;tcp://10.0.0.1,172.17.0.1:52091;tcp6://[fd00::2]:60401",
			"-mca", "plm", "rsh", "--tree-spawn", "-mca", "pmix", "^s1,s2,cray,isolated",
		}},
	},
	"Open MPI 4.1.4 by its absolute path": {
		[]string{
			"          PATH=/usr/bin:$PATH ; export PATH ; " +
				"LD_LIBRARY_PATH=/usr/lib:${LD_LIBRARY_PATH:-} ; export LD_LIBRARY_PATH ; " +
				"DYLD_LIBRARY_PATH=/usr/lib:${DYLD_LIBRARY_PATH:-} ; export DYLD_LIBRARY_PATH ;   /usr/bin/orted",
			"-mca", "ess", `"env"`,
		},
		Daemon{
			[]string{"/usr/bin/orted", "-mca", "ess", "env"},
			[]string{"PATH=/usr/bin:/bin:/usr/bin", "LD_LIBRARY_PATH=/usr/lib:", "DYLD_LIBRARY_PATH=/usr/lib:"},
		},
	},
	"Open MPI 4.1.4, login shell sh": {
		[]string{
			"(", "test", "!", "-r", "./.profile", "||", ".", "./.profile;",
			" orted", "-mca", "ess", `"env"`, ")",
		},
		Daemon{Argv: []string{"orted", "-mca", "ess", "env"}},
	},
	"Open MPI 5.0.7": {
		[]string{
			"PRTE_PREFIX=/usr;export PRTE_PREFIX;" +
				"LD_LIBRARY_PATH=/usr/lib:/usr/lib/x86_64-linux-gnu/pmix2/lib:$LD_LIBRARY_PATH;export LD_LIBRARY_PATH;" +
				"DYLD_LIBRARY_PATH=/usr/lib:$DYLD_LIBRARY_PATH;export DYLD_LIBRARY_PATH;/usr/bin/prted",
			"--allow-run-as-root", "--prtemca", "ess_base_nspace", `"prterun-94587d8d79f3-10@0"`, "--tree-spawn",
		},
		Daemon{
			[]string{
				"/usr/bin/prted",
				"--allow-run-as-root", "--prtemca", "ess_base_nspace", "prterun-94587d8d79f3-10@0", "--tree-spawn",
			},
			[]string{
				"PRTE_PREFIX=/usr", "LD_LIBRARY_PATH=/usr/lib:/usr/lib/x86_64-linux-gnu/pmix2/lib:",
				"DYLD_LIBRARY_PATH=/usr/lib:",
			},
		},
	},
	"Open MPI 5.0.7, login shell sh": {
		[]string{
			"(", "test", "!", "-r", "./.profile", "||", ".", "./.profile;",
			"PRTE_PREFIX=/usr;export PRTE_PREFIX;/usr/bin/prted", "--prtemca", "ess", `"env"`, ")",
		},
		Daemon{[]string{"/usr/bin/prted", "--prtemca", "ess", "env"}, []string{"PRTE_PREFIX=/usr"}},
	},
	"MPICH 4.0.2": {
		[]string{
			`"/usr/bin/hydra_pmi_proxy"`, "--control-port", "127.0.0.1:41239", "--usize", "-2", "--proxy-id", "0",
		},
		Daemon{Argv: []string{
			"/usr/bin/hydra_pmi_proxy", "--control-port", "127.0.0.1:41239", "--usize", "-2", "--proxy-id", "0",
		}},
	},
	"Intel MPI, as others report it": {
		[]string{
			"/opt/intel/mpi/2021.2.0/bin//hydra_bstrap_proxy",
			"--upstream-host", "leader", "--tree-width", "16", "--proxy-id", "1",
		},
		Daemon{Argv: []string{
			"/opt/intel/mpi/2021.2.0/bin//hydra_bstrap_proxy",
			"--upstream-host", "leader", "--tree-width", "16", "--proxy-id", "1",
		}},
	},
	"every way of quoting": {
		[]string{
			`A='a b' ;`,
			"B=$A\\;c\\\n; export B A ; B2=\"$B\\$\\q\"'$A'${no:-x y} ; export B2 ; A=1 C=$A D= orted",
			`"$A" '' "\"\\\x" a\ b x=y '\' é`,
		},
		Daemon{
			[]string{"orted", "a b", "", `"\\x`, "a b", "x=y", `\`, "é"},
			[]string{"A=1", "B=a b;c", `B2=a b;c$\q$Ax y`, "C=1", "D="},
		},
	},
	"what is not exported stays out, unless the host has it": {
		[]string{"A=1 ; PATH=/x:$PATH ; export LATER ; LATER=2 ; orted"},
		Daemon{[]string{"orted"}, []string{"PATH=/x:/bin:/usr/bin", "LATER=2"}},
	},
}

var hostEnv = []string{"PATH=/bin:/usr/bin", "PATH=/second", "HOME=/h"}
