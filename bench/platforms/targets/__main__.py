"""`python -m bench.platforms.targets install [NAME …]`: install targets into `.targets/`, pinned by their lock files.

Without a name: all that come with us. Exit codes: 0 every one that was asked for can run here; 1 some were left out,
each with a line that says why and what to do; all others are those of `bench.ends.conclude`.
"""

from __future__ import annotations

import argparse
import sys
import time

from rich.console import Console
from rich.text import Text

from bench.ends.conclude import conclude
from bench.ends.errors import SetupError
from bench.platforms.targets.install import LeftOut, install
from settings.command_line.arguments import Parser
from settings.targets import reader
from settings.targets.manifest import Manifest


def main() -> int:
    """Install what was asked for. Returns the exit code."""
    return conclude(_act)


def _act() -> int:
    arguments = _parser().parse_args()
    console = Console(highlight=False)
    # Each is read before the first is installed, so that a wrong name is told at once.
    targets = {target.key: target for target in map(reader.load, arguments.names or reader.names())}
    left_out = [name for name, target in targets.items() if not _install(target, console)]
    if left_out:
        console.print(Text(f"left out: {', '.join(left_out)}"), soft_wrap=True)
    return 1 if left_out else 0


def _install(target: Manifest, console: Console) -> bool:
    began = time.monotonic()
    with console.status(f"installing {target.key}"):
        try:
            done = install(target, lambda step: console.print(Text(f"· {target.key}: {step}"), soft_wrap=True))
        except (LeftOut, SetupError) as problem:
            console.print(Text(f"✗ {target.key} is left out: {problem}"), soft_wrap=True)
            return False
    took = time.monotonic() - began
    console.print(Text(f"✓ {target.key} {target.version} {done} ({took:.1f} s)"), soft_wrap=True)
    return True


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m bench.platforms.targets", description="Targets on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    installing = commands.add_parser("install", help="install targets into .targets/")
    installing.add_argument("names", nargs="*", metavar="NAME", help="a target (default: all that come with us)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
