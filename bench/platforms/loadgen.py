"""The load generator as a process of this machine."""

from __future__ import annotations

from pathlib import Path

from bench.platforms.processes import Process, Processes
from bench.preflight.settings import Settings
from settings.catalogue.load import TARGET_CAPABILITIES
from settings.children import PYTHON


def capabilities(settings: Settings) -> dict[str, str]:
    """The variable that says what the target offers: nothing else is asked of it."""
    setting = TARGET_CAPABILITIES
    return {setting.name: setting.spell(settings.target.capabilities)}


def start(processes: Processes, settings: Settings, base_url: str, folder: Path) -> Process:
    """Start it against `base_url`; it leaves its files in `folder`."""
    told = {"BASE_URL": base_url, "RESULTS_DIR": str(folder), "RUN_ID": folder.name, **capabilities(settings)}
    env = PYTHON.environment({**settings.environment(), **told})
    return processes.start("loadgen", ["-m", "services.loadgen"], env)
