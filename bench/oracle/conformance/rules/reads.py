"""Rules of reads: a todo, whether and how a write is shown, and texts."""

from __future__ import annotations

from typing import Final

from bench.oracle.conformance.calls import whole
from bench.oracle.conformance.client import Seen
from bench.oracle.conformance.rule import rule
from bench.oracle.conformance.subject import Made, Subject

AWKWARD: Final = (
    '  "quoted" \\ slash / <b>&amp;</b>\r\nline\ttab \u2028 é e\u0301 漢字 😀👩\u200d👩\u200d👧 \u202eback\u202c  '
)
"""Each of it has been lost by somebody: blanks trimmed, marks composed, signs escaped twice, pairs cut."""
LONGEST: Final = 2000
FOUR_BYTES: Final = "𝄞"


@rule("200", "answer GET /todos/{stream} with 200 for a todo of the read model", short=True)
def get_200(subject: Subject) -> Seen:
    """A todo that is projected is answered with 200."""
    answer = subject.get(subject.sample.id)
    return answer.must(answer.status == 200)


@rule('"id" the stream, "text" a string, "version" a whole number from 1 on', "show id, text and version", short=True)
def get_fields(subject: Subject) -> Seen:
    """Its `id` is the stream, its `text` a string, its `version` a whole number."""
    made = subject.sample
    answer = subject.get(made.id)
    typed = isinstance(answer.field("text"), str) and whole(answer.field("version"), 1)
    return answer.must(typed and answer.field("id") == made.id)


@rule("its text and version 1, within 10 s", "project every event; show what the read model has")
def visible_create(subject: Subject) -> Seen:
    """An acknowledged create is shown at last, with its text and version."""
    return _visible(subject, subject.make())


@rule("its text and version 3, within 10 s", "project every event; show what the read model has", short=True)
def visible_update(subject: Subject) -> Seen:
    """An acknowledged update is shown at last, with its text and version."""
    made = subject.make()
    subject.change(made)
    subject.change(made)
    return _visible(subject, made)


@rule("404 within 10 s", "project deletes, and answer 404 for a todo that is deleted", short=True)
def visible_delete(subject: Subject) -> Seen:
    """A deleted todo is answered with 404 at last."""
    made = subject.make()
    subject.shown(made)
    subject.remove(made)
    answer = subject.at_last(lambda: subject.get(made.id), lambda answer: answer.status == 404)
    return answer.must(answer.status == 404)


@rule("the same text", "store texts as they come: no trimming, no normalizing, UTF-8 all the way")
def text_exact(subject: Subject) -> Seen:
    """A text comes back code point for code point: blanks around it, quotes, lines, emoji, combining marks."""
    return _comes_back(subject, AWKWARD)


@rule("201, and the same text", "count code points, not bytes or UTF-16 units; take 2,000")
def text_2000(subject: Subject) -> Seen:
    """A text of 2,000 code points, each of them four bytes long, is taken and comes back."""
    return _comes_back(subject, FOUR_BYTES * LONGEST)


def _visible(subject: Subject, made: Made) -> Seen:
    answer = subject.at_last(
        lambda: subject.get(made.id),
        lambda answer: (answer.field("text"), answer.field("version")) == (made.text, made.version),
    )
    shown = (answer.field("text"), answer.field("version"))
    return answer.must(
        shown == (made.text, made.version), f"{answer.came}; written: version {made.version}, {made.text}"
    )


def _comes_back(subject: Subject, text: str) -> Seen:
    taken = subject.post(text)
    taken.must(taken.ok)
    id = taken.field("stream") or taken.header("location").rpartition("/")[2]
    answer = subject.shown(Made(id, text))
    shown = answer.field("text")
    same = shown == text
    return answer.must(same, "" if same else f"{answer.came}; {_difference(text, shown)}")


def _difference(text: str, shown: object) -> str:
    if not isinstance(shown, str):
        return "no text"
    at = next((n for n, (a, b) in enumerate(zip(text, shown, strict=False)) if a != b), min(len(text), len(shown)))
    return f"{len(shown)} code points of {len(text)}, the first other one at {at}"
