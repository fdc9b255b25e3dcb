"""What a shadow lacks of a stream: spans to be applied, between versions that were skipped, at most so many events."""

from __future__ import annotations

import pytest

from projection.operator.rebuild.filling import Standing


def spans(projected: int, *skipped: int, made: int = 0, most: int = 100) -> list[tuple[int, int, bool]]:
    found = list(Standing("s", projected, skipped, made).spans(most))
    assert {span.stream for span in found} <= {"s"}
    return [(span.after, span.upto, span.skipped) for span in found]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (spans(0), []),
        (spans(3), [(0, 3, False)]),
        (spans(3, made=3), []),
        (spans(3, made=1), [(1, 3, False)]),
        (spans(2, made=5), []),
        (spans(9, most=4), [(0, 4, False)]),
        (spans(9, made=4, most=4), [(4, 8, False)]),
        (spans(1, 1), [(0, 1, True)]),
        (spans(4, 2, 3), [(0, 1, False), (1, 2, True), (2, 3, True), (3, 4, False)]),
        (spans(4, 3, 2, made=2), [(2, 3, True), (3, 4, False)]),
        (spans(4, 4), [(0, 3, False), (3, 4, True)]),
        (spans(9, 5, most=5), [(0, 4, False), (4, 5, True)]),
        (spans(9, 6, most=5), [(0, 5, False)]),
    ],
)
def test_spans(found: list[tuple[int, int, bool]], wanted: list[tuple[int, int, bool]]) -> None:
    assert found == wanted
