"""The gate as Markdown, for a pull request or the summary of a CI job."""

from __future__ import annotations

from typing import Final

from bench.report.words import milliseconds, seconds, whole
from metrics.records.answers.gate import Gate, Judged

SIGNS: Final = {"ok": "✅", "better": "🟢", "regression": "❌", "no verdict": "❔", "told": ""}


def markdown(gate: Gate) -> str:
    """Verdict first, then what was required, then every metric."""
    lines = [
        f"### tidemark gate: {headline(gate)}",
        "",
        f"{f'Against {against}; ' if (against := gate['against']) else ''}{len(gate['run_ids'])} trials.",
        "",
    ]
    lines += [f"- doubt: {doubt}" for doubt in gate["doubts"]]
    for one in gate["required"]:
        lines.append(f"- {'✅' if one['holds'] else '❌'} required `{one['said']}`{_because(one['because'])}")
    if gate["metrics"]:
        lines += ["", "| metric | base | now | ratio | may be worse by | |", "|---|--:|--:|--:|--:|---|"]
        lines += [_row(metric) for metric in gate["metrics"]]
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def headline(gate: Gate) -> str:
    """The verdict, and what follows from it."""
    failed = [one["said"] for one in gate["required"] if not one["holds"]]
    told = f"{gate['verdict']}{f' ({why})' if (why := gate['why']) else ''}"
    told += f"; not as required: {', '.join(failed)}" if failed else ""
    return told if gate["enforced"] or gate["verdict"] != "regression" else f"{told} (report only)"


def _row(metric: Judged) -> str:
    unit = metric["unit"]
    ratio = "–" if metric["ratio"] is None else f"{metric['ratio']:.2f}"
    said = f"{SIGNS[metric['answer']]} {metric['answer']}{_because(metric['because'])}".strip()
    cells = [metric["label"], value(metric["base"], unit), value(metric["now"], unit), ratio, bound(metric), said]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def bound(metric: Judged) -> str:
    """By how much it may be worse; nothing where it is not judged."""
    if metric["answer"] == "told":
        return ""
    return f"{metric['tolerance']:.0%}, at least {metric['floor']:g} {metric['unit']}"


def value(figure: float | None, unit: str) -> str:
    """A figure with its unit."""
    if figure is None:
        return "–"
    told = {"s": seconds, "ms": milliseconds}.get(unit, whole)(figure)
    return told + {"s": "", "ms": " ms", "/s": "/s"}.get(unit, f" {unit}")


def _because(why: str) -> str:
    return f": {why}" if why else ""
