"""The static checks of `task check`, each a test: they run beside the others, not before them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import ROOT
from tests.architecture.test_tasks import lines


@pytest.mark.parametrize("line", lines("check"))
def test_the_tree_passes(line: str) -> None:
    tool, *arguments = line.split()
    command = [str(Path(sys.executable).with_name(tool)), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
