"""`docs/comparison.md`: the targets of one sitting in tables by class, made from `targets.json` and from drills.

Verdict and proof come before any figure; a target that is not correct has what is wrong instead, and each line has the
command that repeats it. A pure function of the documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench import ROOT
from bench.answers.board import repeat
from bench.answers.board.rows import CLASSES, plain
from bench.answers.targets.document import REFERENCE, ranked
from bench.answers.targets.kills import mark
from bench.answers.targets.table import middle, ratio, reading, spread, word
from bench.compare import words
from bench.drill.document import counted
from bench.report.words import machine_line, setting_text, software_line
from metrics.records.answers.drills import Drill
from metrics.records.answers.targets import Figure, Row, Targets
from metrics.records.sections.target import NOT_CHECKED
from settings import strategies

HEAD: Final = """\
# Comparison

Made by `task docs:comparison` from one sitting; do not edit. It says what was found on one machine, and the commands
that repeat it.

- **Correctness first.** The verdict is that of a target's worst trial, by the level of proof beside it. Whatever is not
  correct has what was found, and no figures.
- **Classes apart.** *Documented* is the best way that a framework's own documentation tells, *as shipped* its own
  sample, *tuned* what somebody chose, with the reason.
- **Alike.** Same machine, same Postgres where it has one, same load generator; every round has one trial of each
  target, in an order drawn by lot. What keeps an acknowledged write through a crash is told of each under *Durable*; a
  *reference* keeps nothing, so it stands apart and is not ranked.
- **Figures** are medians over the trials, with the smallest and the largest; a ratio is against {base}, with its
  interval, over the same rounds. *No verdict*: the interval holds 1, or there are too few rounds. **≥**: a target that
  tells no moments of its own is timed to a look after the end, so its convergence speed is a lower bound.
- Their owners may answer: each target's `NOTES.md` is the place, and a target's programs are there to be corrected.
"""


def render(document: Targets, drilled: Sequence[tuple[str, Drill]]) -> str:
    """The page. `drilled` are drills with the name of the target that each was of; without any, the sitting's kills."""
    drilled = drilled or [(row["name"], row["kill"]) for row in document["rows"] if "kill" in row]
    parts = [HEAD.format(base=f"`{document['base']}`"), *_measured(document)]
    for kind in CLASSES:
        rows = [row for row in document["rows"] if row["class"] == kind and not row.get("reference")]
        if rows:
            parts += [f"## {kind.capitalize()}", *_class(document, rows)]
    if references := [row for row in document["rows"] if row.get("reference")]:
        parts += [f"## {REFERENCE.capitalize()}", *_class(document, references)]
    parts += _ratios(document)
    parts += _faults(drilled)
    parts += ["## What to know before reading a row", *(_known(row) for row in document["rows"])]
    parts += _left_out(document)
    parts += ["## Repeat it", repeat.commands(document, drilled)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _measured(document: Targets) -> Iterator[str]:
    load = ", ".join(f"`{name}={setting_text(value)}`" for name, value in repeat.chosen(document).items())
    yield (
        f"Measured as `{document['targets_id']}`: {machine_line(document['machine'])}; "
        f"{software_line(document['postgres'], document['versions'])}; scenario *{document['scenario']}*, "
        f"{document['complete']} of {document['rounds']} rounds{f', {load}' if load else ', default settings'}."
    )
    doubts = [f"in doubt: {each}" for each in document["doubts"]]
    notes = [*filter(None, [document["why"]]), *doubts, *document["notes"]]
    if notes:
        yield "\n".join(f"- {_text(note)}" for note in notes)


def _class(document: Targets, rows: Sequence[Row]) -> Iterator[str]:
    figures = document["figures"]
    head = ["verdict", "proof", "target", *(f"{each['label']}, {each['unit']}" for each in figures)]
    lines = [
        [
            ", ".join(filter(None, (word(row), mark(row)))),
            row["proof"] or "–",
            f"`{row['name']}` {row['version']}",
            *_cells(figures, row),
        ]
        for row in rows
    ]
    yield _table(head, lines)
    wrong = [f"- `{row['name']}`, {word(row).lower()}: {_text(row['why'])}" for row in rows if row["why"]]
    if wrong:
        yield "\n".join(wrong)


def _cells(figures: Sequence[Figure], row: Row) -> Iterator[str]:
    for figure in figures:
        told = row["figures"].get(figure["name"])
        if told is None:
            yield "–"
            continue
        if told["spread"]["median"] is None:
            yield "not told"
            continue
        ends = spread(figure, told)
        yield middle(figure, told) + (f" ({ends})" if ends else "")


def _ratios(document: Targets) -> Iterator[str]:
    """Against the base, within its class: another class answers another question."""
    beside = [row for row in document["rows"] if row["name"] != document["base"] and ranked(document, row)]
    lines = []
    for row in beside:
        for figure in document["figures"]:
            told = row["figures"].get(figure["name"])
            if told is not None and ratio(told):
                lines.append(
                    [
                        f"`{row['name']}`",
                        figure["label"],
                        ratio(told),
                        _answer(figure, reading(document, row, figure, told)),
                    ]
                )
    if lines:
        yield f"## Against {document['base']}"
        needed = f"A verdict takes {document['needed']} rounds."
        none = f" No verdict: {_text(document['no_verdict'])}." if document["no_verdict"] else ""
        chance = round(document["error_rate"] * 100, 2)
        yield f"{needed}{none} Where nothing differs, at most {chance:g} of 100 such tables say that any ratio does."
        yield _table(["target", "figure", f"ratio to {document['base']} (interval)", "answer"], lines)


def _answer(figure: Figure, verdict: str) -> str:
    return f"{verdict} ({figure['better']} is better)" if verdict in ("better", "worse") else verdict


def _faults(drilled: Sequence[tuple[str, Drill]]) -> Iterator[str]:
    if not drilled:
        return
    yield "## After a fault"
    yield "Each repetition is a run of its own, under load and judged by the same proof; what did not hit is run again."
    head = [
        "verdict",
        "target",
        "fault",
        "hit",
        "wrong",
        "work went on after, median and most",
        "visible p99, ms: before, during, after",
        "right again after the heal, median and most",
    ]
    yield _table(head, [_drill(name, drill) for name, drill in drilled])
    found = [f"- `{name}`, {drill['name']}: {_text(why)}" for name, drill in drilled if (why := _why(drill))]
    if found:
        yield "\n".join(found)


def _drill(name: str, drill: Drill) -> list[str]:
    took = drill["takeover_s"]
    none = drill.get("no_takeover_s")
    again = drill.get("right_again_s") or {"p50": None, "max": None}
    after = "not told" if took["p50"] is None or took["max"] is None else f"{took['p50']:.1f} s, {took['max']:.1f} s"
    after += "" if none is None or none["max"] is None else f"; none within {none['max']:.0f} s"
    around = drill["visible_p99_ms"]
    seen = ", ".join(
        words.amount(value, "ms").removesuffix(" ms") for value in (around["before"], around["during"], around["after"])
    )
    how = ", ".join(filter(None, (drill["name"], strategies.told(drill["strategy"]))))
    return [
        drill["verdict"],
        f"`{name}`",
        how,
        f"{drill['hit']} of {drill['repetitions']}",
        counted([drill]) or "nothing",
        after,
        seen,
        "not told" if again["p50"] is None or again["max"] is None else f"{again['p50']:.1f} s, {again['max']:.1f} s",
    ]


def _why(drill: Drill) -> str:
    return next((run["why"] for run in drill["runs"] if run["why"]), "")


def _known(row: Row) -> str:
    said = [f"- {_text(each)}" for each in row["know"]]
    unseen = f" ({NOT_CHECKED})" if row.get("durable_checked") is False else ""
    durable = [f"- Durable: {_text(row['durable'])}{unseen}."] if row["durable"] else []
    notes = Path("targets", row["name"].partition(":")[0], "NOTES.md")
    there = [f"- [Notes](../{notes})"] if (ROOT / notes).exists() else []
    return "\n".join([f"**`{row['name']}`**, {_text(row['title'])}", "", *durable, *said, *there])


def _left_out(document: Targets) -> Iterator[str]:
    if document["left_out"]:
        yield "## Left out"
        yield "\n".join(f"- `{one['name']}`: {_text(one['why'])}" for one in document["left_out"])


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)


def _text(said: str) -> str:
    """A text of a manifest or a run within Markdown: one line, and nothing in it a tag, a link or a table."""
    line = plain(said, 600).rstrip(".")
    return line.replace("<", "&lt;").replace("[", "\\[").replace("|", "\\|")
