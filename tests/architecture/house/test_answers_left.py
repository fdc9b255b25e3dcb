"""Answers are left in one way, so that `results/latest` points at the last, whatever it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import bench

ELSEWHERE: Final = {
    "bundle/folder.py": "a run's own bundle, which points there when it is closed",
    "answers/doctor/command.py": "of a machine and no run, without a page",
}


def test_whoever_names_a_folder_of_results_leaves_it_by_the_one_helper() -> None:
    root = Path(bench.__file__).parent
    sources = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in root.rglob("*.py")}
    naming = {name for name, source in sources.items() if re.search(r"\bnew_id\(", source)}
    leaving = {
        name
        for name, source in sources.items()
        if "from bench.bundle.leave import " in source and re.search(r"\b(leave|finish)\(folder\b", source)
    }
    assert set(ELSEWHERE) <= naming
    assert naming - set(ELSEWHERE) <= leaving
