package tests

import (
	"strings"
	"testing"
)

// agentStrangers is a Python program. From a host outside the cluster it tries many ways to get into the
// agent of a worker.
const agentStrangers = `
import os, socket, subprocess, sys
host, port = sys.argv[1], 7791
def say(*words): print(*words, flush=True)
def send(data):
    with socket.create_connection((host, port), 3) as s:
        s.settimeout(12)
        s.sendall(data)
        got = b""
        try:
            while len(got) < 100000:
                part = s.recv(4096)
                if not part: break
                got += part
        except OSError: pass
        return got
http, ssh = b"GET /v1/sync HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-x\r\n" + b"\0" * 1000
for data in http, bytes(range(256)) * 100, ssh, b"orted\n":
    got = send(data)
    say("raw got HTTP 200" if b" 200 " in got else "raw got nothing", len(got))
subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/tmp/id"], check=True)
common = ["ssh", "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
          "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"]
for name, more in ("no key", ["-o", "PubkeyAuthentication=no"]), ("wrong key", ["-i", "/tmp/id"]):
    for words in ["hydra_pmi_proxy", "--version"], ["id"], ["-N", "-L", "8000:localhost:22"], ["-s", "sftp"]:
        flags, command = (words, []) if words[0] == "-N" else ([], words)
        got = subprocess.run([*common, *more, *flags, "entrain@" + host, *command],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        refusal = any(word in got.stderr for word in ("denied", "closed", "reset"))
        result = "denied" if got.returncode == 255 and refusal else "got in"
        say(name, words[0], result, repr(got.stdout), repr(got.stderr[-300:]))
idle = []
for _ in range(1000):
    try: idle.append(socket.create_connection((host, port), 5))
    except OSError as e:
        say(e)
        break
say("idle", len(idle))
`

// strangers runs agentStrangers against a worker, and checks that nothing got in.
func (h *mpiHosts) strangers() {
	h.t.Helper()
	out := must(h.t, "docker", "run", "--rm", "--network", h.name, "--entrypoint", "python3",
		"entrain-test-mpi:trixie", "-c", agentStrangers, "algo-2")
	h.t.Logf("the strangers report:\n%s", out)
	gotIn := strings.Contains(out, "got HTTP") || strings.Contains(out, "got in")
	if gotIn || !strings.Contains(out, "idle 1000") {
		h.t.Error("a stranger got in, or could not try")
	}
}

// crowd opens a thousand connections to the agent of a worker before the leader connects. They send nothing.
func (h *mpiHosts) crowd() {
	h.t.Helper()
	const idle = `
import socket, time
idle, deadline = [], time.time() + 15
while len(idle) < 1000 and time.time() < deadline:
    try: idle.append(socket.create_connection(("algo-2", 7791), 5))
    except OSError: time.sleep(0.1)
print("idle", len(idle), flush=True)
time.sleep(30)
`
	options := []string{"--network", h.name, "--entrypoint", "python3"}
	id := start(h.t, options, "entrain-test-mpi:trixie", "-c", idle)
	eventually(h.t, "a thousand connections are open", func() bool {
		logs, _ := run(h.t, "docker", "logs", id)
		return strings.Contains(logs, "idle 1000")
	})
}

// TestMPIKeepsOrderOfTwelveHosts checks that the hosts stay in the order of resourceconfig.json. The
// platform sorts them as words there.
func TestMPIKeepsOrderOfTwelveHosts(t *testing.T) {
	needMPI(t)
	sorted := []string{
		"algo-1", "algo-10", "algo-11", "algo-12", "algo-2", "algo-3",
		"algo-4", "algo-5", "algo-6", "algo-7", "algo-8", "algo-9",
	}
	dir := mpiTree(t, sorted, "algo-1")
	for _, f := range mpiFamilies() {
		t.Run(f.name, func(t *testing.T) {
			entrain := func(words ...string) string {
				argv := []string{
					"docker", "run", "--rm", "-v", dir + ":/opt/ml",
					"-e", "ENTRAIN_CLUSTER_KEY=" + strings.Repeat("ab", 32), "-e", "ENTRAIN_MPIRUN=" + f.mpirun,
					"--entrypoint", "/usr/local/bin/entrain", "entrain-test-mpi:" + f.suite,
				}
				return must(t, append(argv, words...)...)
			}
			var want strings.Builder
			for _, host := range sorted {
				want.WriteString("host     " + host + ", 2 slots\n")
			}
			plan := entrain("plan", "--launcher", "mpi", "--slots", "2", "--", "/opt/ring-"+f.library)
			if !strings.Contains(plan, want.String()) || !strings.Contains(plan, "argv     -np\nargv     24\n") {
				t.Errorf("want 24 ranks and\n%s in\n%s", want.String(), plan)
			}
		})
	}
}
