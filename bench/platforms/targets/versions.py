"""Versions of a target, for `versions.json`: its own, its lock's digest, and the packages that the lock pins."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from bench.platforms.targets.folder import digest
from metrics.records.surroundings import TargetVersions
from settings.targets.manifest import Manifest
from settings.targets.reader import LOCKS

_PINNED: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)


def versions_of(target: Manifest) -> TargetVersions:
    """What it is made of; no packages where it runs in the project's own environment, which tells its own."""
    told: TargetVersions = {"name": target.name, "version": target.version, "lock": digest(target)}
    if target.install is not None:
        lock = target.folder / LOCKS[target.install.kind]
        told["packages"] = _python(lock) if target.install.kind == "python" else _node(lock)
    return told


def _python(lock: Path) -> dict[str, str]:
    return {name.lower(): version for name, version in _PINNED.findall(lock.read_text(encoding="utf-8"))}


def _node(lock: Path) -> dict[str, str]:
    """The packages that are named by the target itself; the digest stands for what these bring."""
    packages: dict[str, dict[str, Any]] = json.loads(lock.read_text(encoding="utf-8")).get("packages", {})
    named = packages.get("", {}).get("dependencies", {})
    return {name: str(packages.get(f"node_modules/{name}", {}).get("version", "")) for name in sorted(named)}
