"""A `kubectl` for the PATH before a cluster that is a file: pods and replicas change as a Deployment would change them.

Every command line is kept. What it does not play it answers with silence and 0, or with what a test has told it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from tests.fakes import kubectl_program
from tests.fakes.kubectl_program import read, write

PROGRAM: Final = """#!{python} -IS
import pathlib, sys
sys.path.insert(0, {here!r})
from kubectl_program import play
sys.exit(play(pathlib.Path(__file__).parent, sys.argv[1:]))
"""


class FakeKubectl:
    """The program, and the state that it plays."""

    def __init__(self, folder: Path, **replicas: int) -> None:
        self.folder: Final = folder
        program = folder / "kubectl"
        program.write_text(PROGRAM.format(python=sys.executable, here=str(Path(kubectl_program.__file__).parent)))
        program.chmod(0o755)
        pods = {kind: [f"{kind}-{number}" for number in range(count)] for kind, count in replicas.items()}
        write(
            folder,
            {"pods": pods, "ending": [], "made": 100, "answers": [], "autoscaled": False, "costs": {}, "exit_code": 0},
        )

    def answer(self, when: str, out: str = "", *, code: int = 0, err: str = "") -> None:
        """Answer command lines that have these words, before anything is played."""
        state = read(self.folder)
        state["answers"].insert(0, (when, code, out, err))
        write(self.folder, state)

    def set(self, **values: Any) -> None:
        """Change the state."""
        write(self.folder, {**read(self.folder), **values})

    @property
    def calls(self) -> list[str]:
        """Every command line so far."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def pods(self) -> dict[str, list[str]]:
        """The pods that there are, by component."""
        found: dict[str, list[str]] = read(self.folder)["pods"]
        return found
