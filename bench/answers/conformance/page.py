"""The report of a conformance check: one self-contained page, a pure function of `conformance.json`."""

from __future__ import annotations

from typing import Any, Final

from bench.answers.conformance.document import headline
from bench.oracle.conformance.rule import REQUIRED
from bench.report.page import page
from metrics.records.answers.conformance import Checked, Conformance
from settings.catalogue.capabilities import CAPABILITIES

TONES: Final = {"held": "ok", "broken": "fault", "not checked": "open"}


def render(found: Conformance) -> str:
    """The page."""
    return page(
        "answers/conformance.html",
        d=found,
        headline=headline(found),
        tone="good" if found["held"] else "bad",
        targets=[_target(one) for one in found["targets"]],
        footer=found["conformance_id"],
    )


def _target(checked: Checked) -> dict[str, Any]:
    parts = []
    for part in (REQUIRED, *CAPABILITIES):
        rules = [{**one, "tone": TONES[one["state"]]} for one in checked["rules"] if one["part"] == part]
        if rules:
            parts.append({"name": part, "counts": rules[0]["counts"], "rules": rules})
    return {**checked, "parts": parts, "form": "short form" if checked["short"] else "whole form"}
