#!/usr/bin/env python3
"""Stands in for the mpirun that the variable LATER names.

It writes /opt/ml/output/launching, and starts that mpirun when /opt/ml/go exists.
"""
import os
import pathlib
import sys
import time

if not {"--version", "-V"} & set(sys.argv[1:]):
    pathlib.Path("/opt/ml/output/launching").write_text("yes", encoding="utf-8")
    while not os.path.exists("/opt/ml/go"):
        time.sleep(0.02)
os.execvp(os.environ["LATER"], [os.environ["LATER"], *sys.argv[1:]])
