"""The ring of a projector's moments: which call belongs to which step, and that it is bounded."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from eventstore.shards.hash_slots import Place
from metrics.raw.moments import Moments as Document
from metrics.reading import read
from services.projector.files.moments import Moments

ALONE = Place()


def moments(kept: int = 10, place: Place = ALONE) -> Moments:
    """By a clock that ticks at each look: 1, 2, 3."""
    ticks = count(1)
    return Moments(place, lambda: float(next(ticks)), kept)


async def test_the_first_and_the_last_call_belong_to_the_step_that_begins_after_them() -> None:
    ring = moments()
    for _ in range(3):
        ring.called()
    ring.begun()
    ring.called()
    await ring.hook("claimed")
    await ring.hook("applied")
    ring.begun()
    await ring.hook("applied")
    assert list(ring.rows) == [[1.0, 3.0, 4.0, 6.0, 7.0], [5.0, 5.0, 8.0, None, 9.0]]


async def test_a_step_that_applied_nothing_leaves_no_row_and_no_claim_behind() -> None:
    ring = moments()
    ring.begun()
    await ring.hook("claimed")
    await ring.hook("idle")
    ring.begun()
    await ring.hook("applied")
    assert list(ring.rows) == [[None, None, 3.0, None, 4.0]]


async def test_each_batch_of_a_step_is_a_row_and_only_the_newest_are_kept(tmp_path: Path) -> None:
    ring = moments(kept=2)
    ring.begun()
    await ring.hook("claimed")
    for _ in range(5):
        await ring.hook("applied")
    ring.write(tmp_path / "p.moments.json", "p")
    document = read(tmp_path / "p.moments.json", Document)
    assert document == {"projector": "p", "rows": [[None, None, 1.0, 2.0, 6.0], [None, None, 1.0, 2.0, 7.0]]}


async def test_each_of_several_shards_has_a_file_that_says_which_it_is(tmp_path: Path) -> None:
    for number in range(2):
        ring = moments(place=Place(number, 2))
        ring.begun()
        await ring.hook("applied")
        ring.write(tmp_path / "p.moments.json", "p")
        document = read(tmp_path / f"shard-{number}-p.moments.json", Document)
        assert document == {"projector": "p", "rows": [[None, None, 1.0, None, 2.0]], "shard": number}


async def test_where_it_can_not_be_written_the_work_is_done_all_the_same(tmp_path: Path) -> None:
    moments().write(tmp_path / "no" / "such" / "folder", "p")
