"""Install folder of a target: `.targets/<name>`, which is not committed, and whether it is what the lock says.

A target without an install runs in the project's own environment, from the project's root.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import ROOT
from bench.ends.errors import SetupError
from metrics.files import write_whole
from settings.catalogue.load import TARGET
from settings.targets.manifest import Manifest
from settings.targets.reader import FILE, FOLDER, LOCKS

INSTALLS: Final = ROOT / ".targets"
STAMP: Final = "installed"
"""Within an install, written last: the digest of the files that it was made from."""
VENV: Final = ".venv"
MODULES: Final = "node_modules"
MADE: Final = (VENV, MODULES, STAMP, "__pycache__")
"""What an install has beside the target's own files."""
TO_INSTALL: Final = "run `task targets:install`"
NO_NODE: Final = "install Node 22 or newer (https://nodejs.org), then run `task targets:install`"


@dataclass(frozen=True)
class Place:
    """Where a target runs: its programs, the working directory of its processes, and the languages' own programs."""

    folder: Path
    cwd: Path
    python: str
    node: str


def install_folder(target: Manifest) -> Path:
    """Where it is installed, or would be; the same for its variants."""
    return INSTALLS / target.key


def digest(target: Manifest) -> str:
    """SHA-256 of what decides which packages an install has: its lock, and package.json beside that of Node."""
    found = hashlib.sha256()
    for path in _deciding(target):
        found.update(path.read_bytes())
    return f"sha256:{found.hexdigest()}"


def stamp(target: Manifest) -> None:
    """Note that the install is whole; the installer's last step. Raises OSError."""
    write_whole(install_folder(target) / STAMP, f"{digest(target)}\n")


def lacking(target: Manifest) -> tuple[str, str]:
    """Why it can not run here, and what to do; both empty where it can."""
    if target.install is None:
        return "", ""
    place = install_folder(target)
    if target.install.kind == "node" and not _node(place):
        return "there is no Node here", NO_NODE
    try:
        told = (place / STAMP).read_text(encoding="utf-8").strip()
    except OSError:
        return f"is not installed in {place}", _to_install(target)
    if told != digest(target):
        return f"its lock is not the one that {place} was installed from", _to_install(target)
    return "", ""


def _to_install(target: Manifest) -> str:
    """Those that come with us need no name."""
    return TO_INSTALL if target.folder.parent == FOLDER else f"{TO_INSTALL[:-1]} -- {target.folder}`"


def require(target: Manifest) -> None:
    """Raise SetupError for a target that can not run here."""
    problem, remedy = lacking(target)
    if problem:
        raise SetupError(f"{TARGET.name}={target.name}", problem, remedy)


def opened(target: Manifest) -> Place:
    """Where it runs, its programs copied anew. Raises SetupError where it is not installed."""
    require(target)
    if target.install is None:
        return Place(target.folder, ROOT, sys.executable, _node(None))
    place = install_folder(target)
    copy_programs(target)
    python = str(place / VENV / "bin" / "python") if target.install.kind == "python" else sys.executable
    return Place(place, place, python, _node(place))


def copy_programs(target: Manifest) -> None:
    """Copy the target's own files into its install, each whole; one that is the same stays. Raises SetupError."""
    place = install_folder(target)
    try:
        for path in sorted(target.folder.rglob("*")):
            inside = path.relative_to(target.folder)
            if path.is_file() and not set(inside.parts) & set(MADE):
                _copy(path, place / inside)
    except OSError as error:
        raise SetupError(
            str(place), f"can not be written: {error.strerror}", "make room, or mend its rights"
        ) from error


def _copy(path: Path, to: Path) -> None:
    content = path.read_bytes()
    if to.is_file() and to.read_bytes() == content:
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    scratch = to.with_name(f".{to.name}.{os.getpid()}")
    scratch.write_bytes(content)
    shutil.copymode(path, scratch)
    scratch.replace(to)


def _deciding(target: Manifest) -> list[Path]:
    if target.install is None:
        return [target.folder / FILE]
    lock = target.folder / LOCKS[target.install.kind]
    return [lock, target.folder / "package.json"] if target.install.kind == "node" else [lock]


def _node(place: Path | None) -> str:
    """Node of the install, where its packages bring it, else that of PATH; empty without any."""
    own = None if place is None else place / MODULES / ".bin" / "node"
    return str(own) if own is not None and own.exists() else shutil.which("node") or ""
