"""The report of a gate: one self-contained page, a pure function of `gate.json`."""

from __future__ import annotations

from typing import Any, Final

from bench.answers.gate.markdown import bound, headline, value
from bench.report.page import page
from metrics.records.answers.gate import Gate, Judged

TONES: Final = {"ok": "ok", "better": "ok", "regression": "fault"}
VERDICTS: Final = {"ok": "good", "regression": "bad", "unsound": "bad", "no verdict": "open"}


def render(gate: Gate) -> str:
    """The page."""
    return page(
        "answers/gate.html",
        d=gate,
        headline=headline(gate),
        tone="bad" if gate["failed"] else VERDICTS[gate["verdict"]],
        metrics=[_metric(metric) for metric in gate["metrics"]],
        footer=gate["gate_id"],
    )


def _metric(metric: Judged) -> dict[str, Any]:
    return {
        **metric,
        "base": value(metric["base"], metric["unit"]),
        "now": value(metric["now"], metric["unit"]),
        "ratio": "–" if metric["ratio"] is None else f"{metric['ratio']:.2f}",
        "bound": bound(metric),
        "tone": TONES.get(metric["answer"], "open"),
    }
