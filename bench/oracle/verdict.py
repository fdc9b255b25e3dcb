"""The verdict of a run: what the load generator saw, overruled by what either oracle found. Pure.

A finding about the system outranks everything that was measured; where nothing was looked at, nothing is proven.
"""

from __future__ import annotations

from metrics.records.result import Correctness, Verdict
from metrics.records.sections.target import Proof


def judge(
    verdict: Verdict, why: str, correctness: Correctness, offenders: list[str], level: Proof = "store"
) -> tuple[Verdict, str]:
    """The verdict and its reason by a level of proof; `offenders` are the faults in words.

    Any fault, whatever the load generator said, makes it `diverged`.
    """
    if correctness.faults:
        found = offenders[0] if offenders else f"{correctness.acknowledged_missing} acknowledged writes are missing"
        before = f"; the load generator said: {why}" if why and verdict != "converged" else ""
        return "diverged", f"{correctness.faults} fault(s): {found}{before}"
    if verdict == "converged" and level != "read-back" and correctness.events_checked == 0:
        return "invalid", f"the {level} holds no event, so nothing was proved"
    if verdict == "converged" and level == "read-back" and correctness.acknowledged_checked == 0:
        return "invalid", "no acknowledged write was read back, so nothing was proved"
    return verdict, why
