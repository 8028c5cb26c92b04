package tests

import (
	"strings"
	"testing"
)

// agentStrangers is a Python program that tries to get at a worker's agent, in all the ways it can think of, from a host of its own.
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
for data in b"GET /v1/sync HTTP/1.1\r\nHost: x\r\n\r\n", bytes(range(256)) * 100, b"SSH-2.0-x\r\n" + b"\0" * 1000, b"orted\n":
    got = send(data)
    say("raw got HTTP 200" if b" 200 " in got else "raw got nothing", len(got))
subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/tmp/id"], check=True)
common = ["ssh", "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"]
for name, more in ("no key", ["-o", "PubkeyAuthentication=no"]), ("wrong key", ["-i", "/tmp/id"]):
    for words in ["hydra_pmi_proxy", "--version"], ["id"], ["-N", "-L", "8000:localhost:22"], ["-s", "sftp"]:
        flags, command = (words, []) if words[0] == "-N" else ([], words)
        got = subprocess.run([*common, *more, *flags, "entrain@" + host, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        out = got.returncode == 255 and any(word in got.stderr for word in ("denied", "closed", "reset"))
        say(name, words[0], "denied" if out else "got in", repr(got.stdout), repr(got.stderr[-300:]))
idle = []
for _ in range(1000):
    try: idle.append(socket.create_connection((host, port), 5))
    except OSError as e:
        say(e)
        break
say("idle", len(idle))
`

// strangers runs them at a worker, and makes sure that none got in.
func (h *mpiHosts) strangers() {
	h.t.Helper()
	out := must(h.t, "docker", "run", "--rm", "--network", h.name, "--entrypoint", "python3", "entrain-test-mpi:trixie", "-c", agentStrangers, "algo-2")
	h.t.Logf("the strangers report:\n%s", out)
	if strings.Contains(out, "got HTTP") || strings.Contains(out, "got in") || !strings.Contains(out, "idle 1000") {
		h.t.Error("a stranger got in, or could not try")
	}
}

// crowd is a thousand connections to a worker's agent that say nothing, there before the leader's is.
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
	id := start(h.t, []string{"--network", h.name, "--entrypoint", "python3"}, "entrain-test-mpi:trixie", "-c", idle)
	eventually(h.t, "a crowd is at the agent", func() bool {
		logs, _ := run(h.t, "docker", "logs", id)
		return strings.Contains(logs, "idle 1000")
	})
}

// TestMPIOfTwelve: the hosts are in the order of resourceconfig.json, which the platform sorts as words.
func TestMPIOfTwelve(t *testing.T) {
	needMPI(t)
	sorted := []string{"algo-1", "algo-10", "algo-11", "algo-12", "algo-2", "algo-3", "algo-4", "algo-5", "algo-6", "algo-7", "algo-8", "algo-9"}
	dir := mpiTree(t, sorted, "algo-1")
	for _, f := range mpiFamilies() {
		t.Run(f.name, func(t *testing.T) {
			entrain := func(words ...string) string {
				argv := []string{
					"docker", "run", "--rm", "-v", dir + ":/opt/ml", "-e", "ENTRAIN_CLUSTER_KEY=" + strings.Repeat("ab", 32), "-e", "ENTRAIN_MPIRUN=" + f.mpirun,
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
