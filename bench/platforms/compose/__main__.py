"""`python -m bench.platforms.compose up | down | reset | logs | ps | scale`: the stack of compose.yaml.

Exit codes: 0 done; 2 a setting, Docker or a part of the stack does not allow it; all others are those of
`bench.ends.conclude`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console

from bench import ROOT
from bench.ends.conclude import conclude
from bench.platforms.compose.compose import ALL_PROFILES, Compose, connect, tolerant
from bench.platforms.compose.scale import scale
from bench.platforms.compose.up import up
from settings.command_line.arguments import Parser


def main() -> int:
    """Run one command."""
    return conclude(_act)


def _act() -> int:
    arguments = _parser().parse_args()
    act: Callable[[Compose, argparse.Namespace, Console], int] = arguments.act
    return act(connect(), arguments, Console(highlight=False))


def _up(compose: Compose, _: argparse.Namespace, console: Console) -> int:
    up(compose, console)
    return 0


def _down(compose: Compose, _: argparse.Namespace, __: Console) -> int:
    return _show(tolerant(compose), *ALL_PROFILES, "down", "--remove-orphans")


def _reset(compose: Compose, arguments: argparse.Namespace, console: Console) -> int:
    question = "This removes the stack and all of its data: events, metrics, Grafana. Type yes to go on: "
    if not arguments.yes and console.input(question).strip().lower() != "yes":
        console.print("nothing was removed")
        return 1
    return _show(tolerant(compose), *ALL_PROFILES, "down", "--remove-orphans", "--volumes")


def _logs(compose: Compose, arguments: argparse.Namespace, _: Console) -> int:
    follow = ["--follow"] if sys.stdout.isatty() else []
    return _show(tolerant(compose), *ALL_PROFILES, "logs", "--tail", "200", *follow, *arguments.services)


def _ps(compose: Compose, _: argparse.Namespace, __: Console) -> int:
    return _show(tolerant(compose), *ALL_PROFILES, "ps", "--all")


def _scale(compose: Compose, arguments: argparse.Namespace, console: Console) -> int:
    scale(compose, arguments.number, console)
    return 0


def _show(compose: Compose, *arguments: str) -> int:
    """Let a person see what Compose prints."""
    return subprocess.run(compose.command(*arguments), cwd=ROOT, env=compose.variables, check=False).returncode


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m bench.platforms.compose", description="The stack of compose.yaml.")
    commands = parser.add_subparsers(required=True)
    _command(commands, "up", _up, "start everything, and wait until it is ready")
    _command(commands, "down", _down, "stop everything; the data stays")
    reset = _command(commands, "reset", _reset, "stop everything and drop the data")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    _command(commands, "logs", _logs, "show the logs").add_argument("services", nargs="*", metavar="SERVICE")
    _command(commands, "ps", _ps, "list the containers")
    number = _command(commands, "scale", _scale, "run so many projectors")
    number.add_argument("number", nargs="?", default=os.environ.get("N", ""), metavar="N")
    return parser


def _command(commands: Any, name: str, act: Callable[..., int], text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text)
    parser.set_defaults(act=act)
    return parser


if __name__ == "__main__":
    sys.exit(main())
