"""Rules of the capabilities `idempotency` and `if-match`: writes on a condition."""

from __future__ import annotations

from functools import partial
from typing import Final

from bench.oracle.conformance.calls import figures
from bench.oracle.conformance.client import Answer, Seen
from bench.oracle.conformance.rule import rule
from bench.oracle.conformance.subject import Made, Subject

TOO_LONG: Final = "k" * 201

idempotency = partial(rule, part="idempotency")
if_match = partial(rule, part="if-match")


@idempotency(
    "the first stream and version again, and eventCount one more",
    "keep the key in the transaction of its write, and answer from it",
    short=True,
    turn="alone",
)
def idempotency_create(subject: Subject) -> Seen:
    """A create that is repeated with its key is answered with the first stream and version, and adds nothing."""
    subject.quiet()
    key, text = subject.name(), subject.text()
    before = figures(subject.stats()).get("eventCount")
    first = subject.post(text, idempotency_key=key)
    second = subject.post(text, idempotency_key=key)
    alike = second.ok and _told(first) == _told(second)
    second.must(alike, f"first {first.came}, then {second.came}")
    after = figures(subject.stats()).get("eventCount")
    more = None if before is None or after is None else after - before
    return second.must(more in (1, None), f"the same answer twice, and eventCount {more} more")


@idempotency("the first version again, and version 3 after the next update", "answer a repeated key without a write")
def idempotency_update(subject: Subject) -> Seen:
    """An update that is repeated with its key is answered with the first version, and adds nothing."""
    made, key, text = subject.make(), subject.name(), subject.text()
    first = subject.put(made.id, text, idempotency_key=key)
    second = subject.put(made.id, text, idempotency_key=key)
    second.must(second.ok and _told(first) == _told(second), f"first {first.came}, then {second.came}")
    made.version += 1
    return _unchanged(subject, made)


@idempotency("409", "compare the content with that of the key's first use")
def idempotency_409(subject: Subject) -> Seen:
    """A key that is used again with other content is refused with 409."""
    made, key = subject.make(), subject.name()
    subject.put(made.id, subject.text(), idempotency_key=key)
    answer = subject.put(made.id, subject.text(), idempotency_key=key)
    return answer.must(answer.status == 409)


@idempotency("400", "refuse a key that is empty, longer than 200 characters or not printable ASCII")
def idempotency_400(subject: Subject) -> Seen:
    """A key of 201 characters is refused with 400."""
    answer = subject.post(subject.text(), idempotency_key=TOO_LONG)
    return answer.must(answer.status == 400)


@if_match("2xx for each", "compare the version in quotes with the todo's, and let * pass where there is one")
def if_match_200(subject: Subject) -> Seen:
    """A write with the todo's version in `If-Match`, quoted, or with `*`, is taken."""
    made = subject.make()
    answer = subject.put(made.id, subject.text(), if_match='"1"')
    answer.must(answer.ok)
    answer = subject.put(made.id, subject.text(), if_match="*")
    answer.must(answer.ok)
    answer = subject.delete(made.id, if_match='"3"')
    return answer.must(answer.ok)


@if_match(
    "409, and version 2 after the next update", "compare versions within the transaction of the write", short=True
)
def if_match_409(subject: Subject) -> Seen:
    """A write with another version is refused with 409, and changes nothing."""
    made = subject.make()
    for answer in (subject.put(made.id, subject.text(), if_match='"7"'), subject.delete(made.id, if_match='"7"')):
        answer.must(answer.status == 409)
    return _unchanged(subject, made)


@if_match("400", "refuse an If-Match that can not be read with 400")
def if_match_400(subject: Subject) -> Seen:
    """An `If-Match` that is no quoted number and no `*` is refused with 400."""
    answer = subject.put(subject.make().id, subject.text(), if_match='"seven"')
    return answer.must(answer.status == 400)


@if_match('ETag: "<version>"', "send the version in quotes as ETag")
def if_match_etag(subject: Subject) -> Seen:
    """Answers to a create, an update and a read have the version as `ETag`, quoted."""
    created = subject.post(subject.text())
    id = created.field("stream") or created.header("location").rpartition("/")[2]
    made = Made(id, "")
    updated = subject.change(made)
    read = subject.shown(made)
    for answer, version in ((created, 1), (updated, 2), (read, read.field("version"))):
        seen = answer.must(answer.tag == version, f"{answer.came}; ETag: {answer.header('etag') or 'none'}")
    return seen


def _told(answer: Answer) -> tuple[object, object]:
    return answer.field("stream"), answer.field("version")


def _unchanged(subject: Subject, made: Made) -> Seen:
    """The todo has the version that was counted, seen by one more update."""
    subject.change(made)
    answer = subject.written(made)
    came = f"{answer.came}, where {made.version} writes were to be taken"
    return answer.must(answer.field("version") == made.version, came)
