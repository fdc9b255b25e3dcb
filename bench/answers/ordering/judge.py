"""What the trials of one strategy come to: medians, sums, and a verdict. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from typing import Any, Final

from bench.answers.ordering.strategy import Strategy
from metrics.records.answers import ordering as records

SUMS: Final = ("appends", "late", "rolled_back", "seen", "lost", "doubled")
LONGEST: Final = ("writers_s", "follower_s")


def row(name: str, strategy: Strategy, trials: Sequence[records.Trial], failed: str = "") -> records.Row:
    """The row of a strategy. `failed` says why a trial of it broke, else nothing."""
    verdict, why = _verdict(strategy, trials, failed)
    by_hand = [each for trial in trials for each in trial["interleavings"]]
    orders = {trial["order"] for trial in trials}
    return {
        "strategy": name,
        "title": strategy.title,
        "control": strategy.control,
        "guarantee": strategy.guarantee,
        "price": strategy.price,
        "failure": strategy.failure,
        "verdict": verdict,
        "why": why,
        "skipping": skipping(by_hand) if by_hand else None,
        "order": "inverted" if "inverted" in orders else "kept" if orders else None,
        "load": _over(trial["load"] for trial in trials),
        "stalled_writer": _over(trial["stalled_writer"] for trial in trials),
        "foreign_transaction": _over(trial["foreign_transaction"] for trial in trials),
        "trials": list(trials),
    }


def as_it_must(row: records.Row) -> bool:
    """A control was caught, and any other is sound."""
    return row["verdict"] == ("caught" if row["control"] else "sound")


def skipping(interleavings: Iterable[records.Interleaving]) -> records.Skipping:
    """What becomes of the events of a writer that skips the protocol: the worst of those that were tried."""
    past = [each for each in interleavings if not _kept(each)]
    losing = [each for each in past if each["outcome"] == "lost"]
    if any("protocol" in (each["first"], each["second"]) for each in losing):
        return "lost"
    if losing:
        return "lost where both skip"
    return "refused" if any(each["outcome"] == "refused" for each in past) else "covered"


def problems(trial: records.Trial) -> Iterator[tuple[str, int]]:
    """What went wrong among writers that keep the protocol, and how often."""
    phases: dict[str, records.Sight] = {
        "under load": trial["load"],
        "at a stalled writer": trial["stalled_writer"],
        "at a foreign transaction": trial["foreign_transaction"],
    }
    for when, phase in phases.items():
        yield f"lost {when}", phase["lost"]
    yield "lost by hand", sum(_kept(each) and each["outcome"] == "lost" for each in trial["interleavings"])
    for when, phase in phases.items():
        yield f"seen twice {when}", phase["doubled"]


def _verdict(strategy: Strategy, trials: Sequence[records.Trial], failed: str) -> tuple[Any, str]:
    counted: dict[str, int] = {}
    for trial in trials:
        for what, count in problems(trial):
            counted[what] = counted.get(what, 0) + count
    told = "; ".join(f"{count} {what}" for what, count in counted.items() if count)
    if strategy.control and any(count for what, count in counted.items() if what.startswith("lost")):
        return "caught", told
    if failed:
        return "failed", failed
    if not trials:
        return "not measured", ""
    if strategy.control:
        return "not caught", told or "it lost nothing"
    return ("lost", told) if told else ("sound", "")


def _kept(interleaving: records.Interleaving) -> bool:
    return interleaving["first"] == interleaving["second"] == "protocol"


def _over(phases: Iterable[Any]) -> Any:
    """One phase over all trials: sums of counts, the longest of the longest, medians of all else."""
    each = list(phases)
    if not each:
        return None
    return {name: _rule(name)([one[name] for one in each]) for name in each[0]}


def _rule(name: str) -> Callable[[list[Any]], Any]:
    return sum if name in SUMS else max if name in LONGEST else median
