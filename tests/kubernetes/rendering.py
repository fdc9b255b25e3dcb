"""`kubectl kustomize` of the base, of each component over it, and of all together; kubectl comes with the dev extra."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from bench import ROOT

FOLDER: Final = ROOT / "deploy" / "kubernetes"
COMPONENTS: Final = tuple(
    sorted(
        str(path.parent.relative_to(FOLDER / "components"))
        for path in (FOLDER / "components").rglob("kustomization.yaml")
    )
)
OVERLAYS: Final = tuple(sorted(path.name for path in (FOLDER / "overlays").iterdir()))
EVERYTHING: Final = "everything"
"""What a cluster has that runs all of it: the overlay `full`, and a run beside it."""
SHARDED: Final = "everything on two shards"
WHOLES: Final[Mapping[str, str]] = {EVERYTHING: "overlays/full", SHARDED: "overlays/shards-2"}
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "keda": ("cnpg",),
    "pooler": ("cnpg",),
    "shards-2/cnpg": ("cnpg", "shards-2"),
    "shards-2/pooler": ("cnpg", "pooler", "shards-2", "shards-2/cnpg"),
}
"""What has to be there before a component, by its own first lines."""
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
    # A component changes what is there: it is rendered over the base, and what it needs.
    own = name.removeprefix("components/")
    wanted = ("base", *(f"components/{each}" for each in (*NEEDS.get(own, ()), own)))
    with tempfile.TemporaryDirectory() as folder:
        base, *components = (os.path.relpath(FOLDER / each, Path(folder).resolve()) for each in wanted)
        overlay = {"namespace": "tidemark", "resources": [base], "components": components}
        (Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
        return _build(Path(folder))


def _build(folder: Path) -> str:
    done = subprocess.run([kubectl(), "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@cache
def _read(name: str) -> list[Document]:
    texts = [_text(WHOLES[name]), _text("overlays/load")] if name in WHOLES else [_text(name)]
    return [document for text in texts for document in yaml.safe_load_all(text)]


def rendered(name: str) -> list[Document]:
    """The documents of one rendering, a copy, so that a test may change them."""
    return deepcopy(_read(name))
