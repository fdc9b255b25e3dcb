"""Each extra alone is enough for its process: nothing is needed from another's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ROOT

# Every module of the packages is imported, in one fresh interpreter; what is named after them stays out. Neighbours
# share most of what they need: all have one environment in turn, made to be exactly theirs, and Python compiles anew
# only what the one before did not have.
ALONE = {
    ("migrate",): (["migrations"], ["migrations.env"]),
    ("projector",): (["services.projector", "services.health"], []),
    ("projector", "otel"): (["services.projector", "services.tracing"], []),
    ("api", "otel"): (["services.api", "services.tracing"], []),
    ("api",): (["services.api", "services.health"], ["services.api.serving.tracing"]),
    ("bench",): (["bench"], ["bench.perf.programs"]),
    ("loadgen",): (["locust", "services.loadgen"], []),
}
IMPORT_ALL = """
import importlib, pkgutil, sys
packages, left_out = sys.argv[1].split(","), sys.argv[2].split(",")
for name in packages:
    package = importlib.import_module(name)
    if name == "locust" or not hasattr(package, "__path__"):
        continue
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not any(module.name == out or module.name.startswith(out + ".") for out in left_out):
            importlib.import_module(module.name)
"""


def uv() -> str:
    """The uv that runs these tests."""
    found = os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    assert Path(found).is_file(), "these tests need uv: run them by `uv run`"
    return found


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the environment is made, the first time."""
    return tmp_path_factory.mktemp("extras") / "venv"


@pytest.mark.parametrize("extras", ALONE, ids="+".join)
def test_an_extra_alone_is_enough(extras: tuple[str, ...], venv: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment["UV_PROJECT_ENVIRONMENT"] = str(venv)
    asked = [part for extra in extras for part in ("--extra", extra)]
    sync = [uv(), "sync", "--quiet", "--locked", "--no-default-groups", "--python", sys.executable, *asked]
    done = subprocess.run(sync, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    packages, left_out = ALONE[extras]
    command = [str(python), "-c", IMPORT_ALL, ",".join(packages), ",".join(left_out)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
