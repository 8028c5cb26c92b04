"""A sample trainer. It fits y = a*x + b to the lines "x y" of the channel train, by gradient descent.

It works like any script for the SageMaker Training Toolkit: hyperparameters are flags, and directories come
from the SM_* variables. After a SIGTERM it saves a checkpoint and ends.
"""
import argparse
import json
import os
import pathlib
import signal
import sys
import time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--fail-with", type=int, default=0, help="the exit code, to test entrain with it")
    parser.add_argument("--linger", type=float, default=0, help="seconds to stay after the last epoch")
    args = parser.parse_args()
    model_dir = pathlib.Path(os.environ["SM_MODEL_DIR"])

    print(json.dumps({
        "argv": sys.argv[1:],
        "hosts": json.loads(os.environ["SM_HOSTS"]),
        "rank": os.environ["SM_CURRENT_HOST_RANK"],
        "hps": json.loads(os.environ["SM_HPS"]),
        "pid": os.getpid(),
    }), flush=True)

    points = []
    for path in sorted(pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir()):
        points += [tuple(map(float, line.split())) for line in path.read_text().splitlines()]

    a = b = 0.0

    def save(name):
        (model_dir / name).write_text(json.dumps({"a": round(a, 3), "b": round(b, 3)}) + "\n")

    def stop(signum, frame):
        save("checkpoint.json")
        print("saved a checkpoint", flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    for _ in range(args.epochs):
        da = sum(2 * (a * x + b - y) * x for x, y in points) / len(points)
        db = sum(2 * (a * x + b - y) for x, y in points) / len(points)
        a, b = a - args.lr * da, b - args.lr * db
    save("model.json")
    print(f"trained: y = {a:.2f} * x + {b:.2f}", flush=True)
    time.sleep(args.linger)
    if args.fail_with:
        print("something went wrong", file=sys.stderr)
    sys.exit(args.fail_with)


main()
