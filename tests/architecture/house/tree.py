"""The tree as git would take it: every file that is not ignored, its text, and Python's own reading of it."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]

PACKAGES: Final = (
    "bench",
    "eventstore",
    "grafana",
    "metrics",
    "migrations",
    "projection",
    "services",
    "settings",
    "targets",
    "todo",
)
"""What runs; the tests are beside them."""

BINARY: Final = {".png", ".lock"}


@cache
def paths() -> tuple[str, ...]:
    """Every file, by its path from the root."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(sorted(path for path in set(listed) if (ROOT / path).is_file()))


def texts() -> dict[str, str]:
    """The text of every file that people read."""
    return {path: read(path) for path in paths() if Path(path).suffix not in BINARY}


@cache
def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def sources(*folders: str) -> dict[str, ast.Module]:
    """Python's reading of each file of these folders."""
    return {path: parsed(path) for path in paths() if path.endswith(".py") and path.split("/")[0] in folders}


@cache
def parsed(path: str) -> ast.Module:
    return ast.parse(read(path))
