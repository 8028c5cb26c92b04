#!/usr/bin/env python3
"""Stands in for mpirun and starts the real one again and again: from its start to the first line of a rank.

ENTRAIN_TIMED tells what to do, in JSON: mpirun, name, runs, the numbers of hosts to try (0: all), and whether to
time a bare command on the second host as well. It leaves what it measured in /opt/ml/output/timed, a line each.
"""
import json
import os
import subprocess
import sys
import time

HOSTFILES = ["OMPI_MCA_orte_default_hostfile", "PRTE_MCA_prte_default_hostfile", "HYDRA_HOST_FILE"]
AGENTS = ["HYDRA_LAUNCHER_EXEC", "PRTE_MCA_plm_ssh_agent", "OMPI_MCA_plm_rsh_agent"]


def first_line(argv, env):
    """Seconds until a rank says something; it waits for the end, too."""
    start, first = time.monotonic(), None
    with subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as launcher:
        for line in launcher.stdout:
            if first is None and b'{"rank": ' in line:
                first = time.monotonic() - start
    if launcher.returncode or first is None:
        sys.exit(f"{argv}: exit code {launcher.returncode}")
    return first


def fewer(n, argv, env):
    """The same launch on the first n hosts, one rank each."""
    if not n:
        return argv, env
    env = dict(env)
    path = next(env[name] for name in HOSTFILES if name in env)
    with open(path, encoding="utf-8") as whole, open(f"/tmp/hosts-{n}", "w", encoding="utf-8") as part:
        part.writelines(whole.readlines()[:n])
    env.update({name: part.name for name in HOSTFILES if name in env})
    argv = list(argv)
    at = next(i for i, word in enumerate(argv) if word in ("-np", "-n"))
    argv[at + 1] = str(n)
    return argv, env


def bare(env, host):
    """Seconds for a daemon that only says its version, on another host."""
    agent = next(env[name] for name in AGENTS if name in env).split()
    start = time.monotonic()
    subprocess.run([*agent, host, "/usr/bin/hydra_pmi_proxy --version"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - start


def main():
    if "--version" in sys.argv[1:2] or "-V" in sys.argv[1:2]:
        os.execvp("mpirun", ["mpirun", *sys.argv[1:]])
    todo = json.loads(os.environ["ENTRAIN_TIMED"])
    argv = [todo["mpirun"], *sys.argv[1:]]
    with open("/opt/ml/output/timed", "w", encoding="utf-8") as out:
        for _ in range(todo["runs"]):
            for n in todo["hosts"]:
                words, env = fewer(n, argv, os.environ)
                print(json.dumps({"name": todo["name"], "hosts": n, "seconds": first_line(words, env)}), file=out, flush=True)
            if "bare" in todo:
                print(json.dumps({"name": todo["name"], "bare": True, "seconds": bare(os.environ, todo["bare"])}), file=out, flush=True)


main()
