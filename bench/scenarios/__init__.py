"""Scenarios by name: what each is, and its default settings. The load generator knows how to carry them out."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Scenario:
    """A name, a line of description, and default settings as environment variables."""

    name: str
    description: str
    defaults: dict[str, str]


def names() -> list[str]:
    """All scenarios, the default one first."""
    return sorted((path.stem for path in FOLDER.glob("*.toml")), key=lambda name: (name != "throughput", name))


def load(name: str) -> Scenario:
    """Read one scenario. Raises FileNotFoundError for an unknown name."""
    document = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    defaults = {variable: str(value) for variable, value in document["settings"].items()}
    return Scenario(name, document["description"], defaults)
