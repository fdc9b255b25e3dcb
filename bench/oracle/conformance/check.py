"""Prove the contract against a base URL: rules beside each other, then those that compare counts, then the verdict."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from bench.oracle.conformance.client import TIMEOUT_S, Broken, Client, NoAnswer, Seen
from bench.oracle.conformance.rule import REQUIRED, Rule
from bench.oracle.conformance.rules import RULES
from bench.oracle.conformance.subject import Subject, Unmet
from metrics.records.answers.conformance import Checked, Found, State
from settings.catalogue.capabilities import CAPABILITIES
from settings.hiding import hide

LANES: Final = 8
"""Of the whole form. The short one checks a rule at a time: what writers at the same moment do to a projection is what
the measurement itself proves, and not what keeps it from beginning.
"""
PATIENCE_S: Final = 10.0
"""For what must hold at last."""
LONGEST_S: Final = 120.0
LONGEST_SHORT_S: Final = 30.0
EVENTS_SHORT: Final = 128
EVENTS: Final = 512
"""The suite writes fewer; a test holds it."""
NAMED: Final = 5


def check(
    base_url: str,
    capabilities: Collection[str] | None,
    *,
    short: bool = False,
    target: str = "",
    patience_s: float = PATIENCE_S,
    timeout_s: float = TIMEOUT_S,
    latency_s: float = 0.0,
    rules: Sequence[Rule] = RULES,
) -> Checked:
    """Check each rule, and tell what held. Bounded: half a minute in the short form, two minutes else, and `latency_s`
    for each event that the suite may write: the artificial cost of its handler, of which nobody is accused.

    `capabilities` are declared, and must be proven; None where nobody has declared any: then they are found out. What
    is not declared is tried in the whole form alone, and told as a hint. Raises nothing: silence breaks rules.
    """
    begun = time.monotonic()
    client = Client(base_url, timeout_s)
    slack_s = latency_s * (EVENTS_SHORT if short else EVENTS)
    subject = Subject(client, patience_s, begun + slack_s + (LONGEST_SHORT_S if short else LONGEST_S), slack_s)
    chosen = [rule for rule in rules if _asked(rule, capabilities, short=short)]
    try:
        found = _found(subject, chosen, lanes=1 if short else LANES)
        subject.clean()
        with suppress(NoAnswer):
            subject.quiet()
    finally:
        client.close()
    told = [_counted(one, capabilities) for one in found]
    failed = [one["rule"] for one in told if one["counts"] and one["state"] != "held"]
    offered = _offered(told)
    return {
        "target": target,
        "base_url": hide(base_url, base_url),
        "capabilities": None if capabilities is None else sorted(capabilities),
        "offered": offered,
        "short": short,
        "held": not failed,
        "why": _why(told, failed),
        "hints": _hints(offered, capabilities),
        "took_s": round(time.monotonic() - begun, 3),
        "rules": told,
    }


def _asked(rule: Rule, capabilities: Collection[str] | None, *, short: bool) -> bool:
    if not short:
        return True
    return rule.short and (rule.part == REQUIRED or capabilities is None or rule.part in capabilities)


def _found(subject: Subject, rules: Sequence[Rule], lanes: int) -> list[Found]:
    """In the order of the rules. One that nobody answers ends with its first rule."""
    found: dict[str, Found] = {}
    first, *others = rules
    found[first.name] = _judged(subject, first)
    beside = [rule for rule in others if rule.turn == "beside"]
    with ThreadPoolExecutor(lanes) as pool:
        try:
            found |= zip(
                (rule.name for rule in beside), pool.map(lambda rule: _judged(subject, rule), beside), strict=True
            )
        except BaseException:
            subject.deadline = 0.0
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for turn in ("alone", "last"):
        found |= {rule.name: _judged(subject, rule) for rule in others if rule.turn == turn}
    return [found[rule.name] for rule in rules]


def _judged(subject: Subject, rule: Rule) -> Found:
    begun = time.monotonic()
    state: State = "held"
    try:
        if subject.client.silent:
            raise Unmet("nobody answers there any more")
        if begun >= subject.deadline:
            raise Unmet("the time of the suite was over")
        seen = rule.act(subject)
    except Broken as broken:
        state, seen = "broken", broken.seen
    except Unmet as unmet:
        state, seen = "not checked", unmet.seen
    except NoAnswer as none:
        state, seen = "broken", Seen(none.sent, none.why)
    return {
        "rule": rule.name,
        "part": rule.part,
        "says": rule.says,
        "counts": True,
        "state": state,
        "sent": seen.sent,
        "came": seen.came,
        "expected": rule.expected,
        "remedy": "" if state == "held" else rule.remedy,
        "seconds": round(time.monotonic() - begun, 4),
    }


def _counted(found: Found, capabilities: Collection[str] | None) -> Found:
    counts = found["part"] == REQUIRED or found["part"] in (capabilities or ())
    return {**found, "counts": counts}


def _offered(found: Sequence[Found]) -> list[str]:
    """Capabilities whose every rule was checked, and held."""
    states = {part: [one["state"] for one in found if one["part"] == part] for part in CAPABILITIES}
    return [part for part, told in states.items() if told and all(state == "held" for state in told)]


def _why(found: Sequence[Found], failed: Sequence[str]) -> str:
    if not failed:
        return ""
    counted = sum(one["counts"] for one in found)
    more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
    return f"{len(failed)} of {counted} rules do not hold: {', '.join(failed[:NAMED])}{more}"


def _hints(offered: Sequence[str], capabilities: Collection[str] | None) -> list[str]:
    if capabilities is None:
        return [f"{part} is offered" for part in offered]
    return [f"{part} works and is not declared" for part in offered if part not in capabilities]
