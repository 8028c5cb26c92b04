package tests

import "strings"

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
        say(name, words[0], "got in" if got.returncode != 255 or "denied" not in got.stderr else "denied", repr(got.stdout), repr(got.stderr[-300:]))
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
