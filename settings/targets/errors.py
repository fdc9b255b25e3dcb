"""Refusal of a target's manifest, as a setting that can not be used."""

from __future__ import annotations

from pathlib import Path

from settings.catalogue.load import TARGET
from settings.environment import SettingError


class BadTarget(SettingError):
    """A manifest that can not be used. The message is one line: the file, the place, what is wrong, what to do."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        self.name = TARGET.name
        ValueError.__init__(self, " ".join(f"{path}: {problem}; {remedy}".split()))
