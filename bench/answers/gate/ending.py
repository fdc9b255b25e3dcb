"""The end of a gate: its answer from the trials that there are, as gate.json, Markdown and a page."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.answers.gate import page
from bench.answers.gate.judge import verdict
from bench.answers.gate.markdown import headline, markdown
from bench.answers.gate.requirement import Requirement
from bench.bundle.folder import new_id
from bench.bundle.leave import leave
from bench.compare.trials import Sitting
from bench.ends import signals
from bench.ends.conclude import FAILED, SOUND
from bench.ends.errors import SetupError
from bench.preflight.settings import Settings
from metrics.files import write_whole
from metrics.records.answers.gate import FILE, SCHEMA, Gate, Judged

SUMMARY: Final = "GITHUB_STEP_SUMMARY"
MARKDOWN: Final = "gate.md"


def a_folder(results: Path, settings: Settings) -> Path:
    """Where a gate will leave its answer. The name, which is never given twice, draws the order of its pairs."""
    return results / new_id(settings.scenario.name, "gate")


def finish(
    arguments: argparse.Namespace,
    folder: Path,
    sitting: Sitting,
    judged: Sequence[Judged],
    doubts: Sequence[str],
    against: str,
    required: Sequence[Requirement],
    console: Console,
) -> int:
    """Judge the trials of a sitting that has at least one, and leave the answer. Raises SetupError."""
    why = unsound(sitting)
    ours = [trial.result for trial in sitting.arm(len(sitting.names) - 1)]
    held = [one.judge(ours) for one in required]
    # Thresholds alone have no metrics to withhold a verdict from.
    found = "no verdict" if doubts and not judged and not why else verdict(judged, why)
    failed = (
        found == "unsound" or not all(one["holds"] for one in held) or (arguments.enforce and found == "regression")
    )
    told: Gate = {
        "schema": SCHEMA,
        "gate_id": folder.name,
        "against": against,
        "verdict": found,
        "why": why,
        "enforced": arguments.enforce,
        "failed": failed,
        "doubts": list(doubts),
        "run_ids": [one.trial.result.run_id for one in sitting.taken],
        "metrics": [] if why else list(judged),
        "required": held,
    }
    with signals.held():
        _leave(told, folder, console)
    return FAILED if failed else SOUND


def _leave(told: Gate, folder: Path, console: Console) -> None:
    """All documents in the folder, the Markdown on the terminal and where CI shows it."""
    said = markdown(told)
    console.print(Text(said), soft_wrap=True)
    summary = os.environ.get(SUMMARY, "").strip()
    if missing := leave(folder, FILE, told, page.render(told)):
        raise SetupError("--results", f"could not be written ({missing})", "make room")
    _write(folder / MARKDOWN, lambda path: write_whole(path, said))
    if summary:
        _write(Path(summary), lambda path: _append(path, said))
    console.print(Text(f"gate    {headline(told)}; {folder / FILE}", style="bold"), soft_wrap=True)


def _write(path: Path, write: Callable[[Path], None]) -> None:
    try:
        write(path)
    except OSError as error:
        raise SetupError(str(path), f"can not be written: {error.strerror}", "make room") from error


def _append(path: Path, said: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(said)


def unsound(sitting: Sitting) -> str:
    """Why the trials are no results: one that is unsound gives no figure to a gate."""
    if sitting.why or sitting.ended:
        return sitting.why or sitting.ended
    unsound = [one.trial.result for one in sitting.taken if not one.trial.result.sound]
    return f"{unsound[0].run_id} is {unsound[0].verdict}: {unsound[0].why}" if unsound else ""
