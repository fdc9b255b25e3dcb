"""Rules of the capabilities `drain`, `wait`, `applied` and `leases`."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from bench.oracle.conformance.calls import whole
from bench.oracle.conformance.client import Answer, Seen
from bench.oracle.conformance.rule import rule
from bench.oracle.conformance.subject import Made, Subject

MANY: Final = 8
TRIES: Final = 3
WAIT_MS: Final = 3000
SHORT_MS: Final = 80
EARLY_S: Final = 0.02
"""By so much a wait may seem shorter than it was, for clocks are coarse."""

waits = partial(rule, part="wait")
applied = partial(rule, part="applied")


@rule(
    "202", "answer POST /drain with 202, and let calls at the same moment share one wake-up", part="drain", short=True
)
def drain_202(subject: Subject) -> Seen:
    """`POST /drain` is answered with 202, also many at the same moment."""
    answers = subject.together([partial(subject.call, "POST", "/drain")] * MANY)
    wrong = next((answer for answer in answers if answer.status != 202), None)
    return (wrong or answers[-1]).must(wrong is None)


@waits(
    "200 with the text and version of the write",
    "wait for the read model to have `at_least_version`, and look at it again before the answer",
    short=True,
)
def wait_200(subject: Subject) -> Seen:
    """A read that waits for the version of an acknowledged write shows it, at once after the write."""
    made = subject.make()
    subject.settle(made)
    for _ in range(TRIES):
        subject.change(made)
        answer = _waited(subject, made)
        shown = (answer.field("text"), answer.field("version"))
        seen = answer.must(answer.ok and shown == (made.text, made.version), f"{answer.came}; written: {made.version}")
    return seen


def _waited(subject: Subject, made: Made) -> Answer:
    """A read that waits for the last write; a 504 is asked again while the handler's artificial cost explains it."""
    ends = time.monotonic() + subject.slack_s
    while True:
        answer = subject.get(made.id, at_least_version=made.version, wait=WAIT_MS)
        if answer.status != 504 or time.monotonic() >= min(ends, subject.deadline):
            return answer


@waits(f"504, {SHORT_MS} ms after the call or later", "answer 504 when `wait` is over and the version did not come")
def wait_504(subject: Subject) -> Seen:
    """A version that does not come is answered with 504, not before `wait` is over."""
    made = subject.make()
    answer = subject.get(made.id, at_least_version=made.version + 1000, wait=SHORT_MS)
    came = f"{answer.came}, after {answer.seconds * 1000:.0f} ms"
    return answer.must(answer.status == 504 and answer.seconds >= SHORT_MS / 1000 - EARLY_S, came)


@waits("400", "refuse with 400 what is no whole number, or out of its bounds")
def wait_400(subject: Subject) -> Seen:
    """`at_least_version` 0 or of letters, and `wait` below 0 or of letters, are refused with 400."""
    made = subject.make()
    for version, wait in (("0", "10"), ("next", "10"), ("1", "-1"), ("1", "long")):
        answer = subject.get(made.id, at_least_version=version, wait=wait)
        seen = answer.must(answer.status == 400)
    return seen


@waits("404", "let a wait end with the delete's version, and answer 404")
def wait_deleted_404(subject: Subject) -> Seen:
    """Waiting for the version of a delete ends with 404."""
    made = subject.make()
    subject.settle(made)
    subject.remove(made)
    answer = _waited(subject, made)
    return answer.must(answer.status == 404)


@applied("applied 3 at version 3", "add one to `applied` where an event takes effect in the row", short=True)
def applied_counts(subject: Subject) -> Seen:
    """`applied` of a todo equals its version at last: each event took effect once."""
    made = subject.make()
    subject.change(made)
    subject.change(made)
    answer = subject.at_last(lambda: subject.get(made.id), lambda answer: answer.field("version") == made.version)
    return answer.must(answer.field("applied") == made.version)


@applied("a whole number from 1 on in each todo", "show `applied` on pages as in single reads")
def applied_page(subject: Subject) -> Seen:
    """Todos on a page have `applied`, too."""
    subject.shown(subject.sample)
    answer = subject.page(limit=10)
    told = answer.field("todos")
    todos = [todo for todo in told if isinstance(todo, dict)] if isinstance(told, list) else []
    return answer.must(bool(todos) and all(whole(todo.get("applied"), 1) for todo in todos))


@rule(
    'a list, each with "holder", "alive" and "leasesHeld", one alive',
    "tell in /stats who projects; leave the capability out where nobody holds leases",
    part="leases",
    short=True,
)
def leases_projectors(subject: Subject) -> Seen:
    """`projectors` of `/stats` is a list, each with `holder`, `alive` and `leasesHeld`, and one at least is alive."""
    answer = subject.stats()
    told = answer.field("projectors")
    projectors = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    typed = all(
        isinstance(one.get("holder"), str) and isinstance(one.get("alive"), bool) and whole(one.get("leasesHeld"))
        for one in projectors
    )
    return answer.must(typed and any(one.get("alive") for one in projectors), f"projectors {told}")
