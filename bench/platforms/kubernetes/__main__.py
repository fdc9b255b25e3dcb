"""`python -m bench.platforms.kubernetes secrets | scale | logs`: the system of `deploy/kubernetes`, by kubectl.

Exit codes: 0 done; 2 a setting, kubectl or the cluster does not allow it; all others are those of
`bench.ends.conclude`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Final

from rich.console import Console

from bench.ends.conclude import conclude
from bench.platforms.kubernetes import pods, secrets
from bench.platforms.kubernetes.kubectl import Kubectl, connect
from bench.platforms.kubernetes.scale import PROJECTOR, require_unscaled, rolled_out
from settings import Environment
from settings.command_line.arguments import Parser

NAMESPACE: Final = "tidemark"


def main() -> int:
    """Run one command."""
    return conclude(_act)


def _act() -> int:
    arguments = _parser().parse_args()
    act: Callable[[Kubectl, argparse.Namespace, Console], int] = arguments.act
    return act(connect(arguments.namespace), arguments, Console(highlight=False))


def _secrets(kubectl: Kubectl, _: argparse.Namespace, console: Console) -> int:
    secrets.make(kubectl, console)
    return 0


def _scale(kubectl: Kubectl, arguments: argparse.Namespace, console: Console) -> int:
    count = Environment({"N": arguments.number}).integer("N", None, low=0, high=64)
    require_unscaled(kubectl)
    pods.scale(kubectl, PROJECTOR, count)
    rolled_out(kubectl, PROJECTOR)
    console.print(f"{count} projector(s) at work")
    return 0


def _logs(kubectl: Kubectl, arguments: argparse.Namespace, _: Console) -> int:
    chosen = ["--selector", f"{pods.PART_OF}{arguments.component}", "--tail", "200", "--prefix"]
    follow = ["--follow"] if sys.stdout.isatty() else []
    return subprocess.run(
        kubectl.command("logs", *chosen, *follow), env=dict(kubectl.variables), check=False
    ).returncode


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m bench.platforms.kubernetes", description="The system of deploy/kubernetes.")
    parser.add_argument("--namespace", default=NAMESPACE, help=f"default: {NAMESPACE}")
    commands = parser.add_subparsers(required=True)
    _command(commands, "secrets", _secrets, "make the namespace and its Secrets, where there are none")
    number = _command(commands, "scale", _scale, "run so many projectors")
    number.add_argument("number", nargs="?", default=os.environ.get("N", ""), metavar="N")
    shown = _command(commands, "logs", _logs, "show the last lines of a component's pods")
    shown.add_argument("component", choices=["api", "projector", "migrate", "loadgen", "loadgen-worker"])
    return parser


def _command(commands: Any, name: str, act: Callable[..., int], text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text)
    parser.set_defaults(act=act)
    return parser


if __name__ == "__main__":
    sys.exit(main())
