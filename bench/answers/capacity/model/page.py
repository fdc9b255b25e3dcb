"""`python -m bench.answers.capacity.model.page`: write the tables of the capacity model's page; its prose stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bench import ROOT
from bench.answers.capacity.model.formulas import SHARDS, cores_of_all, kept, parts, processes, shard
from bench.answers.capacity.model.inputs import CURVE, INPUTS, PLANNED, Figures, Plan, figures
from bench.answers.capacity.model.predictions import compared
from bench.answers.capacity.model.published import PAGE
from bench.perf.output.table import number
from settings.command_line import terminal

PATH: Final = ROOT / "docs" / "figures" / "capacity-model.md"


def written(page: str, published: str, plan: Plan | None = None) -> str:
    """The page with all tables as the model has them, from the page of `task perf`."""
    plan = plan or Plan()
    measured = figures(published)
    tables = {
        "inputs": _inputs(published),
        "plan": _plan(plan),
        "parts": _parts(measured, plan),
        "shards": _shards(measured, plan),
        "history": _history(measured, plan),
        "measured": _measured(measured, plan),
    }
    for name, rows in tables.items():
        page = _replaced(page, name, "".join(f"{row}\n" for row in rows))
    return page


def _replaced(page: str, name: str, table: str) -> str:
    return re.sub(rf"(<!-- table: {name} -->\n)(?:\|.*\n)*", lambda mark: mark.group(1) + table, page)


def _inputs(published: str) -> Iterator[str]:
    yield from _head("what", "figure", "unit", "source")
    for one in INPUTS:
        yield _row(one.what, number(one.value(published)), one.unit, one.source(published))


def _plan(plan: Plan) -> Iterator[str]:
    yield from _head("what", "figure")
    for name, what in PLANNED.items():
        yield _row(what, number(getattr(plan, name)))


def _parts(measured: Figures, plan: Plan) -> Iterator[str]:
    yield from _head("part", "of", "full at, events/s", f"for {plan.rate:,.0f}/s", "more of it by")
    for part in parts(measured, plan):
        takes = "–" if part.one.startswith("any") else f"{part.needed(plan.rate):,}"
        yield _row(part.name, part.one, _about(part.per_s), takes, part.then)


def _shards(measured: Figures, plan: Plan) -> Iterator[str]:
    yield from _head(
        *("shards", "events/s each", "cores each", "WAL, MB/s each", "dead rows/s each", "connections each"),
        *("API processes", "projectors", "cores in all", "full, as shipped"),
    )
    for count in SHARDS:
        one = shard(measured, plan, count)
        alone, saturated = cores_of_all(measured, plan, count)
        yield _row(
            *(str(count), _about(one.per_s), _about(one.cores), _about(one.wal_mb_s), _about(one.not_hot_per_s)),
            *(str(one.connections), *(str(each) for each in processes(measured, plan, count))),
            *(f"{_about(saturated)} to {_about(alone)}", ", ".join(one.full) or "nothing"),
        )


def _history(measured: Figures, plan: Plan) -> Iterator[str]:
    yield from _head(
        "shards", "disk each, TB", "WAL each, TB", "written in, h", "folded anew in, min", "in one order, min"
    )
    for count in SHARDS:
        one = kept(measured, plan, count)
        figures_of_it = (one.disk_tb, one.wal_tb, one.written_h, one.folded_min, one.in_order_min)
        yield _row(str(count), *(_about(each) for each in figures_of_it))


def _measured(measured: Figures, plan: Plan) -> Iterator[str]:
    yield from _head("measured by", "unit", "predicted", "measured", "the model errs by")
    for one in compared(measured, CURVE, plan):
        low, high = (_about(each, 4) for each in one.measured)
        found = low if low == high else f"{low} to {high}"
        yield _row(one.what, one.unit, _about(one.predicted, 4), found, f"{one.error * 100:+.0f} %")


def _about(value: float, digits: int = 3) -> str:
    return number(float(f"{value:.{digits}g}"))


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield "|" + "---|" * len(names)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write it."""
    text = written(PATH.read_text(encoding="utf-8"), PAGE.read_text(encoding="utf-8"))
    PATH.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    terminal.forgive()
    main()
