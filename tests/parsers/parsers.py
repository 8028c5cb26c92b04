"""Trainers with the argument parsers of Python. Each prints what it has understood, in one line."""

import json
import sys


def show(lr, epochs, name, offset, amp, cache, layers, x):
    words = [round(lr * 1e6), epochs, name, round(offset * 10), str(amp).lower(), str(cache).lower()]
    words += [",".join(str(n) for n in layers), x]
    assert isinstance(amp, bool) and isinstance(cache, bool), (amp, cache)
    print(*words)


def argparse_typed():
    import argparse

    p = argparse.ArgumentParser()
    p.add_argument("--lr", type=float)
    p.add_argument("--epochs", type=int)
    p.add_argument("--name")
    p.add_argument("--offset", type=float)
    p.add_argument("--amp", action=argparse.BooleanOptionalAction, default=False)
    p.add_argument("--cache", action=argparse.BooleanOptionalAction, default=True)
    p.add_argument("--layers", action="append", type=int)
    p.add_argument("-x", type=int)
    show(**vars(p.parse_args()))


def argparse_json():
    import argparse

    p = argparse.ArgumentParser()
    p.add_argument("--lr", type=float)
    p.add_argument("--epochs", type=int)
    p.add_argument("--name")
    p.add_argument("--offset", type=float)
    for name in ("amp", "cache", "layers"):
        p.add_argument("--" + name, type=json.loads)
    p.add_argument("-x", type=int)
    show(**vars(p.parse_args()))


def argparse_toolkit():
    import argparse
    import ast

    p = argparse.ArgumentParser()
    p.add_argument("--lr", type=float)
    p.add_argument("--epochs", type=int)
    p.add_argument("--name")
    p.add_argument("--offset", type=float)
    for name in ("amp", "cache", "layers"):
        p.add_argument("--" + name, type=ast.literal_eval)
    p.add_argument("-x", type=int)
    show(**vars(p.parse_args()))


def click():
    import click as c

    @c.command()
    @c.option("--lr", type=float)
    @c.option("--epochs", type=int)
    @c.option("--name")
    @c.option("--offset", type=float)
    @c.option("--amp/--no-amp", default=False)
    @c.option("--cache/--no-cache", default=True)
    @c.option("--layers", type=int, multiple=True)
    @c.option("-x", type=int)
    def main(**kwargs):
        show(**kwargs)

    main()


def click_bool():
    import click as c

    @c.command()
    @c.option("--lr", type=float)
    @c.option("--epochs", type=int)
    @c.option("--name")
    @c.option("--offset", type=float)
    @c.option("--amp", type=bool, default=False)
    @c.option("--cache", type=bool, default=True)
    @c.option("--layers", type=json.loads)
    @c.option("-x", type=int)
    def main(**kwargs):
        show(**kwargs)

    main()


def typer():
    from typing import List

    import typer as t

    app = t.Typer()

    @app.command()
    def main(lr: float = 0, epochs: int = 0, name: str = "", offset: float = 0, amp: bool = False,
             cache: bool = True, layers: List[int] = [], x: int = t.Option(0, "-x")):
        show(lr, epochs, name, offset, amp, cache, layers, x)

    app()


def absl():
    from absl import app, flags

    flags.DEFINE_float("lr", 0, "")
    flags.DEFINE_integer("epochs", 0, "")
    flags.DEFINE_string("name", "", "")
    flags.DEFINE_float("offset", 0, "")
    flags.DEFINE_bool("amp", False, "")
    flags.DEFINE_bool("cache", True, "")
    flags.DEFINE_multi_integer("layers", [], "")
    flags.DEFINE_integer("x", 0, "")
    f = flags.FLAGS
    app.run(lambda _: show(f.lr, f.epochs, f.name, f.offset, f.amp, f.cache, f.layers, f.x))


def fire():
    import fire as f

    f.Fire(show)


def docopt():
    from docopt import docopt as parse

    a = parse("""Usage: train [options]
        [--layers=N]...

Options:
  --lr=RATE
  --epochs=N
  --name=NAME
  --offset=N
  --amp
  --no-cache
  -x N
""")
    show(float(a["--lr"]), int(a["--epochs"]), a["--name"], float(a["--offset"]), a["--amp"],
         not a["--no-cache"], a["--layers"], int(a["-x"]))


def omegaconf():
    from omegaconf import OmegaConf

    show(**OmegaConf.from_cli())


if __name__ == "__main__":
    parser = sys.argv.pop(1)
    globals()[parser.replace("-", "_")]()
