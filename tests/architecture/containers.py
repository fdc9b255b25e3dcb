"""The container files as data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from bench import ROOT

DOCKERFILES = {
    "api": ROOT / "services/api/Dockerfile",
    "projector": ROOT / "services/projector/Dockerfile",
    "loadgen": ROOT / "services/loadgen/Dockerfile",
    "migrate": ROOT / "migrations/Dockerfile",
}


def compose() -> dict[str, Any]:
    """compose.yaml, variables unresolved."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return document


def services() -> dict[str, dict[str, Any]]:
    """The services of compose.yaml."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def example() -> dict[str, str]:
    """The variables of .env.example with the values they show."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    pairs = re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", text, flags=re.MULTILINE)
    return {name: re.sub(r"\s+#.*", "", value).strip() for name, value in pairs}


def references(node: Any) -> Iterator[tuple[str, str]]:
    """Every `${NAME…}` in a part of compose.yaml, with what follows the name; also one within another."""
    if isinstance(node, Mapping):
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
    elif isinstance(node, str):
        yield from re.findall(r"(?=\$\{([A-Z0-9_]+)([^}]*)\})", node)


def instructions(path: Path) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n", " ", path.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]
