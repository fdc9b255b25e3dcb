"""`PLATFORM=kubernetes`, or `kubernetes:FOLDER`: where a run goes, and who makes its load generator."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bench import ROOT
from settings import SettingError
from settings.catalogue.load import PLATFORM

NAME: Final = "kubernetes"
LOAD: Final = ROOT / "deploy" / "kubernetes" / "overlays" / "load"
EXPECTED: Final = f"{NAME}, or {NAME}:FOLDER with a kustomization of the component `load`"


def overlay(platform: str) -> Path:
    """The folder that a platform's value names. Raises SettingError."""
    name, _, folder = platform.partition(":")
    path = Path(folder).expanduser().resolve() if folder else LOAD
    if name != NAME or not (path / "kustomization.yaml").is_file():
        raise SettingError(PLATFORM.name, platform, EXPECTED)
    return path


def told(platform: str) -> str:
    """The line that says where a run goes. Raises SettingError."""
    return f"in the cluster of kubectl's context, with the load of {overlay(platform)}"
