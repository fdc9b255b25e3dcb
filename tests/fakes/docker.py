"""A `docker` for the PATH that answers from a table, so that every refusal of the real one can be had anywhere."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PROGRAM = """#!{python}
import json, os, pathlib, sys
folder = pathlib.Path(__file__).parent
line = " ".join(sys.argv[1:])
with (folder / "calls").open("a") as calls:
    calls.write(line + "\\n")
with (folder / "told").open("a") as told:
    told.write(json.dumps(dict(os.environ)) + "\\n")
for when, code, out, err in json.loads((folder / "answers.json").read_text()):
    if when in line:
        sys.stdout.write(out)
        sys.stderr.write(err)
        sys.exit(code)
"""


class FakeDocker:
    """The program and its table. The first entry whose words are in the command line answers; else: silence and 0."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._answers: list[tuple[str, int, str, str]] = []
        program = folder / "docker"
        program.write_text(PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
        self._write()

    def answer(self, when: str, out: Any = "", *, code: int = 0, err: str = "") -> None:
        """Answer command lines that have these words, from now on before all earlier entries; data becomes JSON."""
        text = out if isinstance(out, str) else json.dumps(out)
        self._answers.insert(0, (when, code, text, err))
        self._write()

    @property
    def calls(self) -> list[str]:
        """Every command line so far."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def told(self) -> list[tuple[str, dict[str, str]]]:
        """Every command line so far, with its environment."""
        path = self.folder / "told"
        told = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return list(zip(self.calls, told, strict=True))

    def _write(self) -> None:
        (self.folder / "answers.json").write_text(json.dumps(self._answers))
