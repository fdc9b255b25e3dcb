"""Screening acquits what is plainly sound and nothing else: whatever it acquits, the fold finds no fault in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from struct import pack, unpack_from
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.oracle.columns import EPOCH, HEAD, Columns, length, moment, to_stream, with_null
from bench.oracle.refold import Batch, Event, Findings, Head, Row, Stream, judge
from bench.oracle.screen import acquit
from tests.unit.bench.test_refold import CHANGES, Change, at, deleted, half, sound

US = timedelta(microseconds=1)


def array(kind: int, elements: Sequence[bytes]) -> bytes | None:
    """As `array_send(array_agg(…))` makes it: NULL of nothing."""
    told = b"".join(pack(">i", len(each)) + each for each in elements)
    return pack(">5i", 1, 0, kind, len(elements), 1) + told if elements else None


def int4(*values: int) -> bytes | None:
    return array(23, [pack(">i", value) for value in values])


def sent(value: datetime) -> bytes:
    return pack(">q", (value - EPOCH) // US)


def moments(*values: datetime) -> bytes | None:
    return array(1184, [sent(value) for value in values])


def columns(stream: Stream) -> Columns:
    """The stream as the statement tells it."""
    events, batches, head, row = stream.events, stream.batches, stream.head, stream.row
    return Columns(
        stream=stream.name,
        version=head.version if head else None,
        projected=head.projected if head else None,
        versions=int4(*(event.version for event in events)),
        types=array(25, [event.type.encode() for event in events]),
        data=f"[{','.join(json.dumps(event.data) for event in events)}]" if events else None,
        recorded=moments(*(event.recorded_at for event in events)),
        firsts=int4(*(batch.first for batch in batches)),
        lasts=int4(*(batch.last for batch in batches)),
        projected_at=moments(*(batch.projected_at for batch in batches)),
        text=row.text if row else None,
        created_at=sent(row.created_at) if row else None,
        updated_at=sent(row.updated_at) if row else None,
        row_version=row.version if row else None,
        deleted=row.deleted if row else None,
        applied=stream.applied,
        positions=array(20, [pack(">q", event.position) for event in events]),
    )


@pytest.mark.parametrize("stream", [sound(), sound(1), sound(50), deleted()])
def test_a_sound_stream_is_acquitted_with_its_times(stream: Stream) -> None:
    plain = acquit(columns(stream))
    assert plain is not None
    assert [moment(each) for each in plain.recorded] == [event.recorded_at for event in stream.events]
    effects = {v: batch.projected_at for batch in stream.batches for v in range(batch.first, batch.last + 1)}
    assert plain.delays() == [(effects[event.version] - event.recorded_at) // US for event in stream.events]
    assert plain.deleted == (stream.row is not None and stream.row.deleted)


@pytest.mark.parametrize("change", CHANGES)
def test_no_stream_with_a_fault_is_acquitted(change: Change) -> None:
    stream = sound()
    change(stream)
    assert acquit(columns(stream)) is None


@pytest.mark.parametrize(
    "stream", [half(), sound(), deleted(), Stream("todo-1"), Stream("todo-1", row=sound().row, applied=3)]
)
def test_the_columns_are_the_stream_again(stream: Stream) -> None:
    assert to_stream(columns(stream)) == stream


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c._replace(data='[{"text":"text 1"},{"text":2},{"text":"text 3"}]'),
        lambda c: c._replace(data='[{"text":"text 1"},{},{"text":"text 3"}]'),
        lambda c: c._replace(data='[{"text":"text 1"},[],{"text":"text 3"}]'),
        lambda c: c._replace(data='[{"text":"text 1"},{"text":"text 3"}]'),
        lambda c: c._replace(data='[{"text":"text 1"},null,{"text":"text 3"}]'),
        lambda c: c._replace(version=10**9, projected=10**9),
        lambda c: c._replace(versions=int4(1, 2, 4)),
        lambda c: c._replace(projected=2),
        lambda c: c._replace(applied=4),
        lambda c: c._replace(applied=2),
        lambda c: c._replace(applied=None),
        lambda c: c._replace(types=array(25, [b"TodoCreated", b"TodoDeleted", b"TodoUpdated"])),
        lambda c: c._replace(types=array(25, [b"TodoCreated,TodoUpdated", b"TodoUpdated"])),
        lambda c: c._replace(firsts=int4(1, 2), lasts=int4(3, 3), projected_at=moments(at(5), at(6))),
        lambda c: c._replace(firsts=int4(1, 4, 2), lasts=int4(3, 1, 3), projected_at=moments(at(5), at(6), at(7))),
    ],
    ids=[
        "number",
        "no text",
        "no object",
        "data left out",
        "NULL data",
        "far head",
        "hole",
        "checkpoint behind",
        "applied twice",
        "not applied",
        "applied not told",
        "after deletion",
        "comma",
        "overlap",
        "backwards",
    ],
)
def test_what_is_not_just_so_is_left_to_the_fold(change: Any) -> None:
    assert acquit(change(columns(sound()))) is None


COLUMNS = {
    "versions": "version",
    "types": "type",
    "recorded": "recorded_at",
    "firsts": "from_version",
    "lasts": "to_version",
    "projected_at": "projected_at",
    "positions": "position",
}


@given(st.sampled_from([sound(), sound(1), sound(50), deleted()]), st.sampled_from(sorted(COLUMNS)), st.data())
def test_a_stream_with_a_null_in_any_column_is_never_acquitted_and_the_column_is_named(
    stream: Stream, name: str, data: st.DataObject
) -> None:
    told = columns(stream)
    elements: list[bytes | None] = [*unpacked(getattr(told, name))]
    for place in data.draw(st.sets(st.integers(0, len(elements) - 1), min_size=1)):
        elements[place] = None
    changed = Columns(**{**told._asdict(), name: nullable(elements)})
    assert acquit(changed) is None
    assert [one.partition(".")[2] for one in with_null(changed)] == [COLUMNS[name]]
    assert length(getattr(changed, name)) == len(elements)


def unpacked(array: bytes) -> list[bytes]:
    elements, place = [], HEAD
    while place < len(array):
        (width,) = unpack_from(">i", array, place)
        place += 4 + width
        elements.append(array[place - width : place])
    return elements


def nullable(elements: Sequence[bytes | None]) -> bytes:
    """As Postgres sends an array with a NULL: it says so in its head, and the element has the length -1."""
    told = b"".join(pack(">i", -1) if each is None else pack(">i", len(each)) + each for each in elements)
    return pack(">5i", 1, 1, 0, len(elements), 1) + told


def test_a_moment_that_no_datetime_can_tell_is_its_last_or_first() -> None:
    assert (moment(2**63 - 1).year, moment(-(2**63)).year, moment(0)) == (9999, 1, EPOCH)


TYPES = st.sampled_from(["TodoCreated", "TodoUpdated", "TodoUpdated", "TodoDeleted", "TodoSold"])
DATA: st.SearchStrategy[Any] = st.sampled_from([{"text": "a"}, {"text": "b"}, {"text": "b"}, {}, {"text": 1}, [], None])
SMALL = st.integers(0, 5)


@st.composite
def histories(draw: st.DrawFn) -> Stream:
    """A stream that is sound, or in which a few things are something else."""
    stream = draw(st.sampled_from([sound, sound, deleted, half]))()
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(stream.events) - 1))
        event = stream.events[place]
        batches, row = stream.batches, stream.row or Row("", at(0), at(0), 1, False)
        match draw(st.integers(0, 7)):
            case 0:
                stream.events[place] = replace(event, type=draw(TYPES))
            case 1:
                stream.events[place] = replace(event, data=draw(DATA))
            case 2:
                stream.events[place] = replace(event, recorded_at=at(draw(SMALL)))
            case 3:
                batches.insert(draw(SMALL), Batch(first := draw(SMALL), first + draw(st.integers(0, 2)), at(150)))
            case 4:
                batches[:] = draw(st.permutations(batches))
            case 5:
                stream.head = draw(st.none() | st.builds(Head, SMALL, SMALL))
            case 6:
                stream.applied = draw(SMALL)
            case _:
                stream.row = draw(st.none() | st.builds(replace, st.just(row), text=st.sampled_from(["a", "text 2"])))
    return stream


@given(histories(), st.booleans())
def test_in_what_is_acquitted_the_fold_finds_no_fault(stream: Stream, complete: bool) -> None:
    findings = Findings()
    judge(stream, findings, complete=complete, cursor=100)
    plain = acquit(columns(stream))
    assert plain is None or findings == Findings(events=len(stream.events))


def test_event_data_that_is_no_object_is_a_fault_and_no_defect() -> None:
    stream, findings = sound(), Findings()
    stream.events[2] = Event(3, 30, "TodoUpdated", [], at(3))
    judge(stream, findings, complete=True)
    assert (findings.mismatched_rows, findings.offenders) == (
        1,
        ["mismatched: the events of todo-1 are no history of a todo: TodoUpdated without text"],
    )
