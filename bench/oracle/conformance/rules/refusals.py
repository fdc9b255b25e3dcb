"""Rules of refusals: which status, as which document, and that nothing was changed."""

from __future__ import annotations

from typing import Any, Final

from bench.oracle.conformance.calls import path
from bench.oracle.conformance.client import NoAnswer, Seen
from bench.oracle.conformance.rule import rule
from bench.oracle.conformance.subject import Subject, Unmet

NO_JSON: Final = (b'{"text": "half', b"text=milk", b'{"text": "\xff\xfe"}')
TOO_LARGE: Final = 1024 * 1024 + 64 * 1024
UNKNOWN: Final = "answer 404 for an id that no todo has, whatever it looks like"
DELETED: Final = "decide on the write side, not on the read model, whether a todo is there"


@rule("404", UNKNOWN, short=True)
def get_unknown_404(subject: Subject) -> Seen:
    """A read of a todo that never was is refused with 404."""
    answer = subject.get(subject.name())
    return answer.must(answer.status == 404)


@rule("404", UNKNOWN, short=True)
def update_unknown_404(subject: Subject) -> Seen:
    """An update of a todo that never was is refused with 404."""
    answer = subject.put(subject.name(), subject.text())
    return answer.must(answer.status == 404)


@rule("404", UNKNOWN)
def delete_unknown_404(subject: Subject) -> Seen:
    """A delete of a todo that never was is refused with 404."""
    answer = subject.delete(subject.name())
    return answer.must(answer.status == 404)


@rule("404", DELETED)
def update_deleted_404(subject: Subject) -> Seen:
    """An update of a deleted todo is refused with 404, at once."""
    made = subject.make()
    subject.remove(made)
    answer = subject.put(made.id, subject.text())
    return answer.must(answer.status == 404)


@rule("404", DELETED)
def delete_deleted_404(subject: Subject) -> Seen:
    """A delete of a deleted todo is refused with 404, at once."""
    made = subject.make()
    subject.remove(made)
    answer = subject.delete(made.id)
    return answer.must(answer.status == 404)


@rule("400", "refuse a body that can not be read with 400, before its text is looked at", short=True)
def bad_json_400(subject: Subject) -> Seen:
    """A body that is no JSON, or no UTF-8, is refused with 400."""
    for body in NO_JSON:
        answer = subject.call("POST", "/todos", body=body)
        seen = answer.must(answer.status == 400)
    return seen


@rule("415", "take application/json alone, and refuse other content types with 415")
def content_type_415(subject: Subject) -> Seen:
    """A body that calls itself `text/plain` is refused with 415."""
    answer = subject.call("POST", "/todos", {"text": subject.text()}, headers={"Content-Type": "text/plain"})
    return answer.must(answer.status == 415)


@rule("413, or the connection is cut", "bound the body of a request, by 1 MiB at most")
def body_413(subject: Subject) -> Seen:
    """A body of more than 1 MiB is refused with 413, or the connection is cut."""
    try:
        answer = subject.post("x" * TOO_LARGE)
    except NoAnswer as end:
        if not end.cut:
            raise
        return Seen(end.sent, "the connection was cut")
    return answer.must(answer.status == 413)


@rule("422", "refuse a document without a text with 422")
def text_missing_422(subject: Subject) -> Seen:
    """A body without `text` is refused with 422."""
    answer = subject.call("POST", "/todos", {})
    answer.must(answer.status == 422)
    answer = subject.call("POST", "/todos", {"title": subject.text()})
    return answer.must(answer.status == 422)


@rule("422", "refuse a text that is no string with 422, and convert nothing")
def text_type_422(subject: Subject) -> Seen:
    """A text that is a number, null or a list is refused with 422."""
    return _refused(subject, 7, None, ["milk"])


@rule("422", "refuse an empty text, and one of blanks alone, with 422")
def text_blank_422(subject: Subject) -> Seen:
    """A text that is empty or all blank is refused with 422."""
    return _refused(subject, "", "  \t\n ")


@rule("422", "refuse a text of more than 2,000 code points with 422")
def text_long_422(subject: Subject) -> Seen:
    """A text of 2,001 code points is refused with 422."""
    return _refused(subject, "x" * 2001)


@rule("422", "refuse NUL and lone surrogates, which no UTF-8 text has, with 422")
def text_unstorable_422(subject: Subject) -> Seen:
    """A text with NUL or a lone surrogate is refused with 422."""
    for body in (b'{"text": "nul \\u0000 nul"}', b'{"text": "half \\ud800 of a pair"}'):
        answer = subject.call("POST", "/todos", body=body)
        seen = answer.must(answer.status == 422)
    return seen


@rule(
    'application/problem+json with "title" and the same "status"',
    "answer every refusal as an RFC 9457 problem, those of the framework (404, 400, 415) included",
)
def problem_document(subject: Subject) -> Seen:
    """Refusals are `application/problem+json` with a `title` and the `status`."""
    answers = [
        subject.get(subject.name()),
        subject.call("POST", "/todos", body=NO_JSON[0]),
        subject.post(""),
    ]
    refused = [answer for answer in answers if answer.status >= 400]
    if not refused:
        raise Unmet("it needs a refusal", Seen(answers[0].sent, answers[0].came))
    for answer in refused:
        kind = answer.header("content-type").partition(";")[0].strip().lower()
        titled = bool(answer.field("title")) and isinstance(answer.field("title"), str)
        told = f"{kind or 'no content type'}; {answer.came}"
        right = kind == "application/problem+json" and titled and answer.field("status") == answer.status
        seen = answer.must(right, told)
    return seen


@rule("version 2 after the next update, and its text", "refuse before anything is written")
def refused_unchanged(subject: Subject) -> Seen:
    """A refused write leaves the todo as it was."""
    made = subject.make()
    subject.shown(made)
    refused = subject.call("PUT", path(made.id), body=NO_JSON[0])
    if refused.ok:
        raise Unmet("it needs a refusal", Seen(refused.sent, refused.came))
    subject.change(made)
    answer = subject.written(made)
    return answer.must(
        answer.field("version") == made.version, f"{answer.came}, after a create, a refused and a taken update"
    )


@rule("Retry-After in whole seconds", "send Retry-After with every 503", turn="last")
def unavailable_503(subject: Subject) -> Seen:
    """Each 503 that the suite was answered with had a `Retry-After` in whole seconds."""
    met = list(subject.client.unavailable)
    for answer in met:
        after = answer.header("retry-after")
        answer.must(after.isascii() and after.isdecimal(), f"{answer.came}; Retry-After: {after or 'none'}")
    return Seen("all calls of the suite", f"{len(met)} answers with 503")


def _refused(subject: Subject, *texts: Any) -> Seen:
    for text in texts:
        answer = subject.post(text)
        seen = answer.must(answer.status == 422)
    return seen
