"""The answers of a sound run: a question, its figure, and a sentence that says what the figure is of."""

from __future__ import annotations

from bench.report.words import milliseconds, seconds, took, whole
from metrics.records.result import Percentiles, Result, Visibility
from metrics.records.verification import Verification

NOT_TOLD = "not told"


def answers(result: Result, verification: Verification) -> list[dict[str, str]]:
    """Throughput, latency, staleness, catch-up, backlog and CPU, in the order in which people ask."""
    return [
        _throughput(result),
        _reads(result),
        _latency("How long does a caller wait?", result.latency_ms.actions, "actions were acknowledged"),
        _visible(result),
        _projected(verification),
        _catch_up(result),
        _backlog(result),
        _cpu(result),
    ]


def _answer(question: str, value: str, unit: str, sentence: str) -> dict[str, str]:
    return {"question": question, "value": value, "unit": unit, "sentence": sentence}


def _throughput(result: Result) -> dict[str, str]:
    t = result.throughput
    said = f"{whole(t.actions)} actions were acknowledged in {result.settings.get('DURATION', 'the load phase')}; "
    said += f"{whole(t.errors)} requests failed, {whole(t.rejected)} were refused by the rules."
    return _answer("How many actions does it take?", whole(t.actions_per_s), "/s", said)


def _reads(result: Result) -> dict[str, str]:
    t, p = result.throughput, result.latency_ms.reads
    said = f"{whole(t.reads)} reads were answered beside the actions"
    said += f", half within {milliseconds(p.p50)} ms, 99 of 100 within {milliseconds(p.p99)} ms." if p.max else "."
    return _answer("How many reads beside them?", whole(t.reads_per_s), "/s", said)


def _latency(question: str, p: Percentiles, what: str) -> dict[str, str]:
    if not p.max:
        return _answer(question, NOT_TOLD, "", "Nothing of the kind in this run.")
    said = f"Half of the {what} within {milliseconds(p.p50)} ms, 99 of 100 within {milliseconds(p.p99)} ms; "
    return _answer(question, milliseconds(p.p50), "ms", f"{said}the longest took {milliseconds(p.max)} ms.")


def _visible(result: Result) -> dict[str, str]:
    v: Visibility = result.visibility_ms
    question = "When does a write show?"
    if not v.max:
        return _answer(question, NOT_TOLD, "", "No write was followed to its first read in this run.")
    said = f"Half of {whole(v.samples)} sampled writes were readable {milliseconds(v.p50)} ms after their "
    said += f"acknowledgement, 99 of 100 within {milliseconds(v.p99)} ms."
    return _answer(question, milliseconds(v.p50), "ms", said)


def _projected(verification: Verification) -> dict[str, str]:
    p = verification.projected_ms
    question = "When does an event take effect?"
    if not p.max:
        return _answer(question, NOT_TOLD, "", "No event's way was followed in this run.")
    said = f"By the database's clock, half of {whole(verification.projected_samples)} events took effect within "
    said += f"{milliseconds(p.p50)} ms of their insert, 99 of 100 within {milliseconds(p.p99)} ms."
    return _answer(question, milliseconds(p.p50), "ms", said)


def _catch_up(result: Result) -> dict[str, str]:
    c = result.convergence
    question = "How fast does it catch up?"
    stood = (
        f"projectors stood still for {seconds(c.held_s)} while users went on"
        if c.held_s
        else "nobody stood still before"
    )
    if c.speed_events_per_s is None:
        return _answer(question, NOT_TOLD, "", _sentence(c.why or "no reason was given"))
    said = f"{stood}; {whole(c.events)} events were left and worked off in {took(c)}"
    least = "≥ " * (c.until == "seen")
    return _answer(question, f"{least}{whole(c.speed_events_per_s)}", "events/s", _sentence(said))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _backlog(result: Result) -> dict[str, str]:
    b = result.backlog
    said = f"The largest backlog under load; half of the time it was {whole(b.p50)} or less."
    return _answer("How far behind does it get?", whole(b.max), "events", said)


def _cpu(result: Result) -> dict[str, str]:
    used, question = result.resources, "What does an action cost?"
    parts = used.cpu_us_per_action if used else {}
    system = {name: us for name, us in parts.items() if name not in ("generator", "bench")}
    if not system:
        reason = (used.reason if used else "") or "CPU of the parts was not sampled in this run"
        said = f"{_sentence(reason)} The load generator took {result.generator.cpu_percent:.0f} % of a core."
        return _answer(question, NOT_TOLD, "", said)
    most = ", ".join(f"{name} {whole(us)} µs" for name, us in sorted(system.items(), key=lambda each: -each[1])[:4])
    said = f"CPU of the system by acknowledged action, the reads beside it included: {most}."
    return _answer(question, whole(sum(system.values())), "µs of CPU", said)
