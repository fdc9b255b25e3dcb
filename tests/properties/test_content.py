"""Whatever somebody hands over as an event: both stores take it or both refuse it, and give back what they took."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from eventstore.errors import InvalidEvent
from eventstore.events import NO_STREAM, NewEvent
from eventstore.memory import MemoryEventStore
from eventstore.postgres import PostgresEventStore
from tests.emptied import empty
from tests.properties.conftest import Stage
from tests.properties.effort import effort
from tests.properties.twins import outcome

texts = st.text(st.characters(exclude_categories=()), max_size=20)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**1030), 2**1030)
    | st.floats()
    | texts
    | st.just(datetime(2040, 1, 1, tzinfo=UTC))
    | st.binary(max_size=3)
)
data = st.dictionaries(
    texts | st.integers(),
    st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)),
    max_size=4,
)
names = st.text(st.characters(exclude_categories=()), max_size=8) | st.sampled_from(("é" * 500, "é" * 501))


def alike(one: Any, two: Any) -> bool:
    """Equal as JSON: a float may have come back as the whole number that it is."""
    if isinstance(one, float) or isinstance(two, float):
        return float(one) == float(two)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(alike, one, two))
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(alike(one[name], two[name]) for name in one)
    return type(one) is type(two) and bool(one == two)


async def compare(stage: Stage, stream: str, event: NewEvent) -> None:
    await empty(stage.one)
    memory, postgres = MemoryEventStore(), PostgresEventStore(stage.one)
    expected, actual = [
        await outcome(store.append(stream, [event], expected=NO_STREAM)) for store in (memory, postgres)
    ]
    assert type(actual) is type(expected)
    if not isinstance(expected, InvalidEvent):
        [one], [two] = [await store.read_stream(stream) for store in (memory, postgres)]
        assert (one.stream, one.type) == (two.stream, two.type) == (stream, event.type)
        assert alike(one.data, two.data)
    await postgres.close()


def test_both_stores_hold_the_same_things(stage: Stage) -> None:
    @effort(examples=120)
    @given(stream=names, type=names, data=data)
    @example("s", "A", {"n": 1e23, "m": [5e-324, -0.0, 1.7976931348623157e308]})
    @example("s", "A", {"text": "\\u0000 is six signs"})
    def either(stream: str, type: str, data: dict[Any, Any]) -> None:
        stage.run(compare(stage, stream, NewEvent(type, data)))

    either()
