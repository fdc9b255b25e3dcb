"""A cluster that is played by an executable `kubectl`; nothing here has met a real one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.kubectl import FakeKubectl


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKubectl:
    """One API and two projectors."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return FakeKubectl(folder, api=1, projector=2)
