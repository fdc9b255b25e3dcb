"""Refusal of a scenario's file, as a setting that can not be used."""

from __future__ import annotations

from pathlib import Path

from settings.catalogue.load import SCENARIO
from settings.environment import SettingError


class BadScenario(SettingError):
    """A file that can not be used. The message is one line: the file, the place in it, what is wrong, what to do."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        self.name = SCENARIO.name
        ValueError.__init__(self, " ".join(f"{path}: {problem}; {remedy}".split()))
