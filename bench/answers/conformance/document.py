"""`conformance.json` of one target or many, and its verdict in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from metrics.records.answers.conformance import SCHEMA, Checked, Conformance, Unchecked


def build(
    conformance_id: str,
    checked: Sequence[Checked],
    failed: Sequence[Unchecked] = (),
    left_out: Sequence[Unchecked] = (),
) -> Conformance:
    """The document. It holds where every target started, and holds."""
    wrong = [f"{one['target']}: {one['why']}" for one in checked if not one["held"]]
    wrong += [f"{one['target']}: {one['why']}" for one in failed]
    return {
        "schema": SCHEMA,
        "conformance_id": conformance_id,
        "held": not wrong and bool(checked),
        "why": "; ".join(wrong),
        "targets": list(checked),
        "failed": list(failed),
        "left_out": list(left_out),
    }


def headline(found: Conformance) -> str:
    """What came out, in one sentence."""
    held = sum(one["held"] for one in found["targets"])
    all_of_them = len(found["targets"]) + len(found["failed"])
    if all_of_them == 1:
        counted = sum(rule["counts"] for one in found["targets"] for rule in one["rules"])
        return found["why"] or f"{found['targets'][0]['target']} keeps the contract: {counted} rules hold"
    return f"{held} of {all_of_them} targets keep the contract"
