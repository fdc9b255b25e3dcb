"""The verdict of a run: what the load generator saw, overruled by what either oracle found. Pure.

A finding about the system outranks everything that was measured; a store without an event proves nothing.
"""

from __future__ import annotations

from metrics.records.result import Correctness, Verdict


def judge(verdict: Verdict, why: str, correctness: Correctness, offenders: list[str]) -> tuple[Verdict, str]:
    """The verdict and its reason; `offenders` are the faults in words.

    Any fault, whatever the load generator said, makes it `diverged`.
    """
    if correctness.faults:
        found = offenders[0] if offenders else f"{correctness.acknowledged_missing} acknowledged writes are missing"
        before = f"; the load generator said: {why}" if why and verdict != "converged" else ""
        return "diverged", f"{correctness.faults} fault(s): {found}{before}"
    if verdict == "converged" and correctness.events_checked == 0:
        return "invalid", "the store holds no event, so nothing was proved"
    return verdict, why
