"""Each extra alone is enough for its process: nothing is needed from another's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ROOT

# Every module of the packages is imported, in one fresh interpreter; what is named after them stays out.
ALONE = {
    ("api",): (["services.api", "services.health"], ["services.api.serving.tracing"]),
    ("api", "otel"): (["services.api", "services.tracing"], []),
    ("projector",): (["services.projector", "services.health"], []),
    ("projector", "otel"): (["services.projector", "services.tracing"], []),
    ("loadgen",): (["locust", "services.loadgen"], []),
    ("migrate",): (["migrations"], ["migrations.env"]),
    ("bench",): (["bench"], ["bench.perf.programs"]),
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


@pytest.mark.parametrize("extras", ALONE, ids="+".join)
def test_an_extra_alone_is_enough(extras: tuple[str, ...], tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment["UV_PROJECT_ENVIRONMENT"] = str(tmp_path / "venv")
    asked = [part for extra in extras for part in ("--extra", extra)]
    sync = [uv(), "sync", "--quiet", "--locked", "--no-default-groups", "--python", sys.executable, *asked]
    done = subprocess.run(sync, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    packages, left_out = ALONE[extras]
    command = [str(python), "-c", IMPORT_ALL, ",".join(packages), ",".join(left_out)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
