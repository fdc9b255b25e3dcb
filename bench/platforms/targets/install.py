"""Pinned install of a target into `.targets/<name>`: a venv by pip with hashes, or node_modules by `npm ci`.

The stamp is removed first and written last, so a folder that is half made never looks installed.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.ends.bounded import NoAnswer, ask
from bench.platforms.targets.folder import (
    MODULES,
    STAMP,
    VENV,
    copy_programs,
    install_folder,
    lacking,
    opened,
    stamp,
)
from settings.children import INSTALLER, PROGRAM
from settings.targets.manifest import Manifest
from settings.targets.reader import LOCKS

WITHIN_S: Final = 600.0
"""The longest that one step of an install may take."""
AGAIN: Final = "run `task targets:install` again"
Tell = Callable[[str], None]


class LeftOut(Exception):
    """A target that can not be installed here. The message is one line: why, and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{' '.join(problem.split())}; {remedy}")


def install(target: Manifest, tell: Tell) -> str:
    """Install what its lock says, where it is not there. Returns what was done. Raises LeftOut, SetupError."""
    if target.install is None:
        return "runs in the project's own environment"
    if lacking(target) == ("", ""):
        _require_node(target)
        return "was installed before"
    folder = install_folder(target)
    _clear(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copy_programs(target)
        {"python": _python, "node": _npm}[target.install.kind](folder, tell)
        stamp(target)
        _require_node(target)
    except BaseException:
        _clear(folder)
        raise
    return f"installed in {folder}"


def _clear(folder: Path) -> None:
    """The stamp goes first: what follows may be broken off."""
    (folder / STAMP).unlink(missing_ok=True)
    for made in (VENV, MODULES):
        shutil.rmtree(folder / made, ignore_errors=True)


def _python(folder: Path, tell: Tell) -> None:
    tell("making its environment")
    _run(
        [sys.executable, "-m", "venv", str(folder / VENV)],
        folder,
        "install Python's venv module (Debian: python3-venv)",
    )
    lock = LOCKS["python"]
    tell(f"installing the packages of {lock}")
    pip = [str(folder / VENV / "bin" / "python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    remedy = f"look to the network, or PIP_INDEX_URL, and {AGAIN}"
    _run([*pip, "--quiet", "--require-hashes", "--requirement", lock], folder, remedy)


def _npm(folder: Path, tell: Tell) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise LeftOut("npm is not on this machine", f"install Node with npm (https://nodejs.org), and {AGAIN}")
    tell(f"installing the packages of {LOCKS['node']}")
    remedy = f"look to the network, or npm's registry setting, and {AGAIN}"
    _run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], folder, remedy)


def _require_node(target: Manifest) -> None:
    """Raise LeftOut where Node is older than what its package.json asks for, as `"engines": {"node": ">=20"}`."""
    place = opened(target)
    wanted = _wanted(place.folder / "package.json")
    if wanted is None:
        return
    try:
        told = ask([place.node, "--version"], PROGRAM.environment()).stdout.strip()
    except NoAnswer as silence:
        raise LeftOut(
            f"{place.node} gave no version: {silence}", f"install Node {wanted} or newer, and {AGAIN}"
        ) from None
    found = re.match(r"v?(\d+)\.", told)
    if found is None or int(found[1]) < wanted:
        raise LeftOut(f"Node is {told or 'without a version'} here", f"install Node {wanted} or newer, and {AGAIN}")


def _wanted(package: Path) -> int | None:
    with suppress(OSError, ValueError):
        engines: Mapping[str, str] = json.loads(package.read_text(encoding="utf-8")).get("engines", {})
        if found := re.match(r">=\s*(\d+)", engines.get("node", "")):
            return int(found[1])
    return None


def _run(command: Sequence[str], folder: Path, remedy: str) -> None:
    name = Path(command[0]).name if command[0] != sys.executable else "python"
    try:
        done = ask(command, INSTALLER.environment(), within_s=WITHIN_S, cwd=folder)
    except NoAnswer as silence:
        raise LeftOut(f"{name} {command[1]}: {silence}", remedy) from None
    if done.returncode != 0:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        told = next((line for line in said if "error" in line.lower()), said[-1] if said else "it said nothing")
        raise LeftOut(f"{name} {command[1]} failed: {told.strip()[:300]}", remedy)
