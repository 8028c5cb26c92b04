#!/usr/bin/env python3
"""Stands in for mpirun. It starts the real mpirun again and again, and measures the time until ranks start.

The variable TIMED says what to do, in JSON: the mpirun, the number of runs, the numbers of hosts to
try, where 0 means all hosts, and optionally a host. On that host and on this one it also times a
command without MPI. Each measured time becomes one line of /opt/ml/output/timed.
"""
import json
import os
import subprocess
import sys
import time

HOSTFILES = ["OMPI_MCA_orte_default_hostfile", "PRTE_MCA_prte_default_hostfile", "HYDRA_HOST_FILE"]


def first_lines(argv, env):
    """Milliseconds until the first rank starts, until the last one starts, and until one has started MPI.

    It also waits for the end of the launch.
    """
    start, first = time.monotonic(), {}
    with subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as launcher:
        for line in launcher.stdout:
            if b"starts" in line:
                first["all"] = 1000 * (time.monotonic() - start)
            for what, sign in ("start", b"starts"), ("MPI", b'{"rank": '):
                if sign in line:
                    first.setdefault(what, 1000 * (time.monotonic() - start))
    if launcher.returncode or not first:
        sys.exit(f"{argv}: exit code {launcher.returncode}")
    return first


def fewer(n, argv, env):
    """The same launch on the first n hosts, with one rank each. It shortens the hostfiles."""
    if not n:
        return argv, env
    argv, env = list(argv), dict(env)
    argv[argv.index("-np") + 1] = str(n)
    for flag in set(argv) & {"--hostfile", "-f"}:
        at = argv.index(flag) + 1
        argv[at] = cut(argv[at], n)
    for name in set(env) & set(HOSTFILES):
        env[name] = cut(env[name], n)
    return argv, env


def cut(path, n):
    """The path of a copy that has only the first n lines of a file."""
    part = f"{path}-{n}"
    with open(path, encoding="utf-8") as source, open(part, "w", encoding="utf-8") as target:
        target.writelines(source.readlines()[:n])
    return part


def bare(argv):
    """Milliseconds for a daemon that only prints its version."""
    start = time.monotonic()
    subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return 1000 * (time.monotonic() - start)


def main():
    todo = json.loads(os.environ["TIMED"])
    argv = [todo["mpirun"], *sys.argv[1:]]
    if sys.argv[1:] in (["--version"], ["-V"]):
        os.execvp(argv[0], argv)
    with open("/opt/ml/output/timed", "a", encoding="utf-8") as out:
        for _ in range(todo["runs"]):
            for n in todo["hosts"]:
                for what, ms in first_lines(*fewer(n, argv, os.environ)).items():
                    print(json.dumps({"hosts": n, "what": what, "ms": ms}), file=out, flush=True)
            if "bare" in todo:
                daemon = ["/usr/bin/prted", "--version"]
                there = [os.environ["HYDRA_LAUNCHER_EXEC"], todo["bare"], *daemon]
                for hosts, command in (1, daemon), (2, there):
                    measured = {"hosts": hosts, "what": "bare", "ms": bare(command)}
                    print(json.dumps(measured), file=out, flush=True)


main()
