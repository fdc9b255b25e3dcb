"""`kubectl kustomize` of the base, of each component over it, and of all together; kubectl comes with the dev extra."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from bench import ROOT

FOLDER: Final = ROOT / "deploy" / "kubernetes"
COMPONENTS: Final = tuple(sorted(path.name for path in (FOLDER / "components").iterdir()))
OVERLAYS: Final = tuple(sorted(path.name for path in (FOLDER / "overlays").iterdir()))
EVERYTHING: Final = "everything"
"""What a cluster has that runs all of it: the overlay `full`, and a run beside it."""
NAMES: Final = ("base", *(f"components/{name}" for name in COMPONENTS), *(f"overlays/{name}" for name in OVERLAYS))

Document = dict[str, Any]


def kubectl() -> str:
    """The program of the wheel beside this Python, so that none of the machine's stands in for it."""
    found = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    assert found is not None, "kubectl is part of the extra `dev`: uv sync"
    return found


@cache
def _text(name: str) -> str:
    if not name.startswith("components/"):
        return _build(FOLDER / name)
    # A component changes what is there: it is rendered over the base.
    with tempfile.TemporaryDirectory() as folder:
        base, component = (os.path.relpath(FOLDER / each, Path(folder).resolve()) for each in ("base", name))
        overlay = {"namespace": "tidemark", "resources": [base], "components": [component]}
        (Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
        return _build(Path(folder))


def _build(folder: Path) -> str:
    done = subprocess.run([kubectl(), "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@cache
def _read(name: str) -> list[Document]:
    texts = [_text("overlays/full"), _text("overlays/load")] if name == EVERYTHING else [_text(name)]
    return [document for text in texts for document in yaml.safe_load_all(text)]


def rendered(name: str) -> list[Document]:
    """The documents of one rendering, a copy, so that a test may change them."""
    return deepcopy(_read(name))
