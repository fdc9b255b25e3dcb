"""After the rounds: SIGKILL to a projector of each target that was right so far and has one, as often as asked."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.text import Text

from bench.answers.targets.contenders import Contender
from bench.answers.targets.trials import Sitting
from bench.drill import document
from bench.drill.repeated import Strike, repetitions
from bench.drill.repetition import COUNTED
from bench.ends.errors import SetupError
from bench.report.words import spoken
from metrics.records.answers.drills import Drill, Spread
from metrics.records.answers.targets import Row

BROKEN_OFF: Final = "the kills of projectors were broken off"


def run(sitting: Sitting, strike: Strike, console: Console) -> None:
    """Kill a projector of each. Raises KeyboardInterrupt; what was seen until then is kept."""
    due = [one for one in sitting.contenders if one.kill is not None and sitting.sound(one)]
    sitting.not_killed = {one.name: BROKEN_OFF if one in due else _why_not(one) for one in sitting.contenders}
    sitting.ended = BROKEN_OFF
    left_s = sitting.kills_s
    for place, contender in enumerate(due):
        left = spoken(left_s * (len(due) - place) / len(due))
        console.print(Text(f"kill -9 of a projector, {left} left: {contender.name}"), soft_wrap=True)
        _kill(sitting, contender, strike, console)
    sitting.ended = ""


def _why_not(contender: Contender) -> str:
    if contender.manifest.projector is None:
        return "it has no projector process of its own"
    return "it was not right before" if contender.kill is not None else "it was not asked for"


def _kill(sitting: Sitting, contender: Contender, strike: Strike, console: Console) -> None:
    """One target. One that can not be struck is told, and the others go on."""
    if contender.kill is None:
        return
    try:
        for found in repetitions(contender.kill, strike):
            sitting.kills.setdefault(contender.name, []).append(found)
    except SetupError as error:
        sitting.not_killed[contender.name] = str(error)
        console.print(Text(f"{contender.name}: {error}"), soft_wrap=True)


def drilled(sitting: Sitting, contender: Contender) -> Drill | None:
    """What came of the kills of one target, as `drills.json` has it; None where there was none."""
    runs = sitting.kills.get(contender.name)
    if not runs or contender.kill is None:
        return None
    kill = contender.kill
    return document.drill(kill.name, kill.settings, kill.repeat, runs)


def mark(row: Row) -> str:
    """What stands beside the verdict of a target that was right under load, and not after the kill."""
    kill = row.get("kill")
    if kill is None or kill["verdict"] != "failed":
        return ""
    return "wrong after kill -9" if any(kill[name] for name in COUNTED) else "not right again after kill -9"


def why(row: Row) -> str:
    """The first repetition that failed, and why."""
    kill = row.get("kill")
    return next((f"{run['run_id']}: {run['why']}" for run in kill["runs"] if run["why"]), "") if kill else ""


def phrases(row: Row) -> list[str]:
    """Takeover, recovery, and what the proof counted; nothing where no projector was killed."""
    kill = row.get("kill")
    if kill is None:
        return []
    hit = kill["hit"]
    if not hit:
        return [f"met no work in hand in {kill['repetitions']} runs", _counted(kill, row["proof"])]
    return [_taken_over(kill), _right_again(kill), _counted(kill, row["proof"])]


def _taken_over(kill: Drill) -> str:
    none = kill.get("no_takeover_s") or {"p50": None, "max": None}
    took = _seconds(kill["takeover_s"], kill["hit"])
    nobody = "" if none["max"] is None else f"none within {none['max']:.1f} s"
    return "; ".join(part for part in (f"taken over after {took}" if took else "", nobody) if part) or (
        "takeover not told"
    )


def _right_again(kill: Drill) -> str:
    took = _seconds(kill.get("right_again_s") or {"p50": None, "max": None}, kill["hit"])
    return f"right again {took} after the restart" if took else "right again: not seen"


def _seconds(found: Spread, hit: int) -> str:
    if found["p50"] is None or found["max"] is None:
        return ""
    return f"{found['p50']:.1f} s" + (f" ({found['max']:.1f} s at most)" if hit > 1 else "")


def _counted(kill: Drill, proof: str) -> str:
    """What was found, else what was looked for: a level of proof that can not see it says so."""
    if wrong := document.counted([kill]):
        return f"{wrong} ({proof})"
    counts = {"lost": kill["lost"], "doubled": kill["doubled"]}
    seen, unseen = ([word for word, count in counts.items() if (count is None) == blind] for blind in (False, True))
    told = [f"nothing {' or '.join(seen)}"] if seen else []
    return f"{', '.join([*told, *(f'{word} not seen' for word in unseen)])} ({proof})"
