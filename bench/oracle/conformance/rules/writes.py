"""Rules of writes: ready, create, update, delete, and many at the same moment."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from bench.oracle.conformance.calls import located, whole
from bench.oracle.conformance.client import Seen
from bench.oracle.conformance.rule import rule
from bench.oracle.conformance.subject import Subject

ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,200}")
MANY: Final = 8


@rule("200", "answer GET /readyz with 200 once requests can be served", short=True)
def ready_200(subject: Subject) -> Seen:
    """`GET /readyz` is answered with 200."""
    answer = subject.call("GET", "/readyz")
    return answer.must(answer.status == 200)


@rule("201", "answer POST /todos with 201 Created", short=True)
def create_201(subject: Subject) -> Seen:
    """A create is answered with 201."""
    answer = subject.post(subject.text())
    return answer.must(answer.status == 201)


@rule(
    'a document with "stream", 1 to 200 characters of A–Z a–z 0–9 . _ ~ -, and "version" 1',
    "name the new todo in `stream` and its first version in `version`",
    short=True,
)
def create_written(subject: Subject) -> Seen:
    """Its answer has the `stream`, an id of allowed characters, and `version` 1."""
    answer = subject.post(subject.text())
    stream, version = answer.field("stream"), answer.field("version")
    return answer.must(isinstance(stream, str) and ID.fullmatch(stream) is not None and version == 1)


@rule("Location: /todos/{stream}", "send the header Location with the path of the new todo")
def create_location(subject: Subject) -> Seen:
    """Its `Location` leads to `/todos/{stream}`."""
    answer = subject.post(subject.text())
    told = answer.header("location")
    stream = answer.field("stream")
    leads = bool(located(answer)) and (stream is None or located(answer) == stream)
    return answer.must(leads, f"Location: {told or 'none'}; {answer.came}")


@rule(f"{MANY} different streams", "give each create an id of its own, whatever its text and its moment")
def create_new_stream(subject: Subject) -> Seen:
    """Creates at the same moment, of the same text, get streams of their own."""
    text = subject.text()
    answers = subject.together([partial(subject.post, text)] * MANY)
    streams = [answer.field("stream") or located(answer) for answer in answers]
    return answers[-1].must(len(set(streams)) == MANY, f"{MANY} creates, streams {', '.join(map(str, streams))}")


@rule("200", "answer PUT /todos/{stream} with 200", short=True)
def update_200(subject: Subject) -> Seen:
    """An update is answered with 200."""
    answer = subject.put(subject.make().id, subject.text())
    return answer.must(answer.status == 200)


@rule('a document with the same "stream" and "version" 2', "answer with the stream and its new version", short=True)
def update_written(subject: Subject) -> Seen:
    """Its answer has the same `stream`, and a `version` that is one more."""
    made = subject.make()
    answer = subject.change(made)
    return answer.must(answer.field("stream") == made.id and answer.field("version") == made.version)


@rule("204, or 200", "answer DELETE /todos/{stream} with 204", short=True)
def delete_204(subject: Subject) -> Seen:
    """A delete is answered with 204, or with 200."""
    answer = subject.delete(subject.make().id)
    return answer.must(answer.status in (200, 204))


@rule('ETag: "2", or a document with "version" 2', "tell the version of the delete, as ETag of the 204", short=True)
def delete_version(subject: Subject) -> Seen:
    """Its `ETag`, or the document of a 200, has a version that is one more."""
    made = subject.make()
    answer = subject.remove(made)
    told = answer.tag if answer.tag is not None else answer.field("version")
    return answer.must(told == made.version, f"{answer.came}, version {'not told' if told is None else told}")


@rule(
    "versions 2, 3, 4 … once each, one for each update that was taken",
    "decide the version within the transaction that writes it: a unique key of stream and version, or a lock",
)
def concurrent_versions(subject: Subject) -> Seen:
    """Updates of one todo at the same moment get versions without gaps and doubles; 409 and 503 are allowed for some,
    and add none."""
    made = subject.make()
    texts = [subject.text() for _ in range(2 * MANY)]
    answers = subject.together([partial(subject.put, made.id, text) for text in texts])
    taken = [answer for answer in answers if answer.ok]
    other = [answer for answer in answers if not answer.ok and answer.status not in (409, 503)]
    if other:
        other[0].must(False)
    versions = sorted(
        (answer.field("version") for answer in taken), key=lambda version: version if whole(version) else 0
    )
    gapless = bool(taken) and versions == list(range(2, 2 + len(taken)))
    told = f"{len(answers)} updates, {len(taken)} taken, versions {', '.join(map(str, versions))}"
    return answers[-1].must(gapless, told)
