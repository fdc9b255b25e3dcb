"""Arms that are revisions of this repository: each in a worktree with an environment of its own, run by its own bench.

Worktrees and environments are in a temporary folder, which is removed at the end, whatever the end is.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from bench import ROOT
from bench.compare.arms import worktree
from bench.compare.arms.arm import apart
from bench.compare.arms.variables import ambient
from bench.compare.arms.worktree import Worktree
from bench.ends.errors import RunFailed, SetupError
from bench.ends.guardian import Guardian
from bench.platforms.processes import Process, Processes, describe, tail
from bench.preflight.settings import Settings
from bench.report.progress import Progress, progress
from settings import catalogue
from settings.catalogue.database import DATABASE_URL
from settings.catalogue.load import BASE_URL
from settings.targets.document import Mode

REFUSED: Final = 2
LOOK_S: Final = 0.3
NOT_THEIRS: Final = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH")


@dataclass(frozen=True)
class Revision:
    """A revision, ready to run; `settings` are ours, for which its own bench reads the same variables."""

    name: str
    settings: Settings
    tree: Worktree
    processes: Processes

    def run(self, results: Path, number: int, title: str, console: Console) -> Path:
        """Run one trial by that revision's bench, and move its bundle to `results`."""
        given = self.tree.folder / "results-of-trials" / str(number)
        arguments = ["-m", "bench", "run", self.settings.scenario.name, "--mode", self.settings.mode]
        with progress(console, title) as told:
            process = self.processes.start(
                f"trial-{number}-of-{self.tree.folder.name}",
                [*arguments, "--results", str(given)],
                environment(ambient()),
                program=(str(self.tree.python),),
                cwd=self.tree.folder,
            )
            try:
                self._follow(process, told)
            finally:
                self.processes.end(process)
                bundle = _moved(given, results)
        if process.popen.returncode == REFUSED:
            raise SetupError(self.name, tail(process.log, 1), "correct that, or compare other revisions")
        if bundle is None:
            raise RunFailed(f"{self.name} ended with {describe(process.popen.returncode)}", tail(process.log))
        return bundle

    def _follow(self, process: Process, told: Progress) -> None:
        """Show the last line of what it says, until it ends."""
        process.expendable = True
        last = ""
        while process.running:
            self.processes.check()
            if (line := tail(process.log, 1).strip()) and line != last:
                told.step(line.removeprefix("· "))
                last = line
            time.sleep(LOOK_S)


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """What that bench is given: all that this one was, but whose Python this is, and no way into a stack of ours."""
    secrets = {secret.name for secret in catalogue.stack_secrets()}
    return {name: value for name, value in variables.items() if name not in {*NOT_THEIRS, *secrets}}


@contextmanager
def prepared(revisions: Sequence[str], scenario: str, mode: Mode | None, console: Console) -> Iterator[list[Revision]]:
    """Check out and install each revision; nothing is left at the end. Raises SetupError before any work, RunFailed."""
    settings = Settings.from_env(ambient(), scenario=scenario, mode=mode)
    commits = _commits(revisions, settings)
    names = apart([f"{name} {commit[:7]}" for name, commit in zip(revisions, commits, strict=True)])
    if worktree.dirty(ROOT):
        console.print(Text("note: this work tree has changes that no commit has; they are in no revision"))
    with ExitStack() as opened:
        guardian = opened.enter_context(Guardian())
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix=worktree.PREFIX)))
        guardian.keep_clean(folder)
        processes = Processes(folder, guardian, folder)
        opened.callback(processes.stop)
        arms = []
        for number, commit in enumerate(commits):
            with progress(console, names[number]) as told:
                told.step(f"checking out {names[number]}, and installing what it needs")
                tree = opened.enter_context(worktree.made(ROOT, commit, folder / str(number)))
            arms.append(Revision(names[number], settings, tree, processes))
        yield arms


def _commits(revisions: Sequence[str], settings: Settings) -> list[str]:
    if len(revisions) != 2:
        raise SetupError("--revision", f"{len(revisions)} named", "say it twice: --revision main --revision HEAD")
    for setting, address in ((BASE_URL, settings.base_url), (DATABASE_URL, settings.database_url)):
        if address is not None:
            raise SetupError(setting.name, "each revision needs a system and a schema of its own", "unset it")
    return [worktree.commit(ROOT, revision) for revision in revisions]


def _moved(given: Path, results: Path) -> Path | None:
    """The bundle that a trial has left, in its place among the results; None where it has left none."""
    for folder in given.iterdir() if given.is_dir() else ():
        if folder.is_dir() and not folder.is_symlink():
            results.mkdir(parents=True, exist_ok=True)
            return Path(shutil.move(folder, results / folder.name))
    return None
