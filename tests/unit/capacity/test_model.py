"""The capacity model: its page is what it says, its inputs are rows of `task perf`, its formulas are right."""

from __future__ import annotations

from dataclasses import fields, replace
from math import exp

import pytest

from bench.answers.capacity.model.formulas import cores_of_all, kept, parts, processes, shard
from bench.answers.capacity.model.inputs import CURVE, INPUTS, LIVE, PLANNED, Figures, Plan, figures
from bench.answers.capacity.model.page import PATH, written
from bench.answers.capacity.model.predictions import Compared, compared, held_by, slots_per_s, waits
from bench.answers.capacity.model.published import COLUMNS, COST, PAGE, figure
from bench.perf import rows
from bench.perf.contests.shards import reading
from bench.perf.cost import RATE
from bench.perf.meter import Counters

PUBLISHED = PAGE.read_text(encoding="utf-8")
ROUND = Figures(
    api_us=200,
    projector_us=50,
    postgres_us=250,
    wal_bytes=2000,
    more_by_shards=1.25,
    disk_bytes=1000,
    not_hot=2,
    whole_per_s=10_000,
    rebuild_per_s=1_000_000,
    serial_per_s=500_000,
    held_ms=5,
    one_projector_per_s=1900,
    four_projectors_per_s=7600,
)
PLAN = Plan(full=0.5, server_cores=10, wal_disk_mb_s=100, network_mb_s=1000, standbys=2, connections=100, pool=10)


def test_the_page_is_what_the_model_says() -> None:
    page = PATH.read_text(encoding="utf-8")
    assert written(page, PUBLISHED) == page, "run `task docs`"
    assert page.count("<!-- table: ") == 6


@pytest.mark.parametrize(
    ("was", "planted"),
    [
        ("| CPU of Postgres | a server |", "| CPU of Postgres | a rack |"),
        ("| `bench:capacity`, 1 projector |", "| `bench:capacity`, 10 projectors |"),
    ],
)
def test_a_page_that_says_something_else_is_found(was: str, planted: str) -> None:
    page = PATH.read_text(encoding="utf-8")
    assert planted in page.replace(was, planted)
    assert written(page.replace(was, planted), PUBLISHED) == page


def test_a_figure_that_is_published_anew_changes_the_page() -> None:
    line = f"| {LIVE}: processor of postgres | "
    at = PUBLISHED.index(line) + len(line)
    page = PATH.read_text(encoding="utf-8")
    assert written(page, PUBLISHED[:at] + "9" + PUBLISHED[at:]) != page


def test_every_input_is_a_figure_that_task_perf_measures() -> None:
    titles = [one.title for one in rows.load().values()]
    details = reading(
        Counters(1, 1, 1, 1, {"api": 1}),
        {"written": 1, "p99": 1},
        [dict.fromkeys(("bytes", "updates", "not_hot", "events"), 1.0)],
    ).figures
    assert LIVE.endswith(f"at {RATE:,}/s")
    for one in INPUTS:
        if one.of == COST:
            assert one.row.startswith(f"{LIVE}: ")
            continue
        assert len([title for title in titles if title.startswith(one.row)]) == 1, one.row
        assert one.of in {*COLUMNS, *details, "p50"}


def test_all_is_named_once() -> None:
    assert [one.name for one in INPUTS] == [one.name for one in fields(Figures)]
    assert [*PLANNED] == [one.name for one in fields(Plan) if one.name not in ("rate", "events")]


PERF_PAGE = """# Page

| row | ours | reference | peer | × reference | × peer | spread | unit | holds |
|---|--:|--:|--:|--:|--:|--:|---|---|
| Two of them, at once | 50,970 | 24,680 | – | 2.13 | – | 0.08 | events/s | yes |

### Two of them, at once

- ours: two
- ours in detail: p50 1.22, WAL bytes 1,732, small 1.2e-05, spare bytes 7

### Another

- ours in detail: alone 3

| append: WAL | 1,700 | bytes an event |
"""


@pytest.mark.parametrize(
    ("row", "name", "value"),
    [
        ("append: WAL", COST, 1700),
        ("append", COST, None),
        ("Two of them", "ours", 50_970),
        ("Two of them", "× reference", 2.13),
        ("Two of them", "peer", None),
        ("Two of them", "p50", 1.22),
        ("Two of them", "WAL bytes", 1732),
        ("Two of them", "small", 1.2e-05),
        ("Two of them", "bytes", None),
        ("Two of them", "alone", None),
        ("Another", "alone", 3),
        ("Nobody", "ours", None),
    ],
)
def test_a_figure_is_read_from_the_page(row: str, name: str, value: float | None) -> None:
    assert figure(PERF_PAGE, row, name) == value


def test_an_input_is_provisional_until_its_row_is_published() -> None:
    one = next(one for one in INPUTS if one.of == "disk bytes")
    row = f"### {one.row}, and more\n\n- ours in detail: disk bytes 1,234\n"
    assert one.value("") == one.provisional
    assert "provisional" in one.source("")
    assert one.value(row) == 1234
    assert "provisional" not in one.source(row)
    with pytest.raises(LookupError, match="processor of api"):
        figures("")


def test_a_part_is_full_where_its_unit_is() -> None:
    full = {part.name: part.per_s for part in parts(ROUND, PLAN)}
    # Half of a second of each core, over 1.25 × the cost.
    assert full["CPU of Postgres"] == pytest.approx(0.5 * 10 * 1e6 / (250 * 1.25))
    assert full["CPU of the API"] == pytest.approx(0.5e6 / 250)
    assert full["WAL on disk"] == pytest.approx(25_000)
    assert full["WAL to standbys"] == pytest.approx(125_000)
    assert full["autovacuum, at worst"] == 2500
    # 10 connections for each 2,000 events/s, 5 for each 8,000.
    assert full["connections"] == pytest.approx(100 / (10 / 2000 + 5 / 8000))
    assert full["handler by stream-leases"] == pytest.approx(0.5 * 500 / 0.025)
    assert full["handler by global-order"] == pytest.approx(0.5 / 0.02)
    assert next(iter(parts(ROUND, PLAN))).needed(16_001) == 2


def test_what_a_shard_takes() -> None:
    assert processes(ROUND, PLAN, 1) == (40, 10)
    assert processes(ROUND, PLAN, 2) == (50, 13)
    one, two = shard(ROUND, PLAN, 1), shard(ROUND, PLAN, 2)
    assert (one.cores, one.wal_mb_s, one.not_hot_per_s, one.connections) == (25, 200, 200_000, 450)
    assert (two.cores, two.wal_mb_s, two.not_hot_per_s, two.connections) == (15.625, 100, 100_000, 565)
    assert one.full == two.full == ("CPU", "WAL on disk", "connections", "autovacuum, at worst")
    roomy = replace(PLAN, connections=1000, vacuum_pages_s=1e6)
    assert shard(ROUND, roomy, 8).full == ()
    assert "WAL to standbys" in shard(ROUND, replace(roomy, standbys=20), 4).full
    assert cores_of_all(ROUND, PLAN, 1) == (50, 20)
    assert cores_of_all(ROUND, PLAN, 2) == (62.5, 25)


def test_what_the_events_take_to_keep_and_to_fold() -> None:
    half = kept(ROUND, PLAN, 2)
    assert (half.disk_tb, half.wal_tb) == (0.5, 1)
    assert half.written_h == pytest.approx(1e9 / 1e5 / 3600)
    assert (half.folded_min, half.in_order_min) == pytest.approx((500 / 60, 1000 / 60))


@pytest.mark.parametrize(("slots", "load", "share"), [(1, 0.7, 0.7), (2, 1.0, 1 / 3), (3, 2.0, 4 / 9)])
def test_erlangs_formula_is_as_in_its_tables(slots: int, load: float, share: float) -> None:
    assert waits(slots, load) == pytest.approx(share)


def test_a_rate_is_held_while_one_in_a_hundred_waits_longer() -> None:
    single = replace(CURVE, in_flight=1, writes=1.0)
    rate = held_by(ROUND, single, 1)
    service = 0.025
    assert rate * service * exp(-(1 / service - rate) * (0.3 - service)) == pytest.approx(0.01)
    assert held_by(ROUND, single, 2) > 2 * rate
    assert held_by(ROUND, replace(single, writes=0.5), 1) == pytest.approx(2 * rate)
    assert held_by(ROUND, replace(single, bound_ms=1e9), 1) == pytest.approx(1 / service)


def test_slots_that_are_never_idle() -> None:
    assert slots_per_s(10, 5, 5) == pytest.approx(1000)
    assert slots_per_s(10, 5, 100, events=20) == pytest.approx(1000)


def test_the_model_is_held_against_all_that_was_measured() -> None:
    assert Compared("", "", 110, (90, 110)).error == pytest.approx(0.1)
    each = compared(ROUND, CURVE, PLAN)
    assert len(each) == len(CURVE.held) + 3
    assert [one.measured for one in each[:3]] == [*CURVE.held.values()]
    assert each[-1].predicted == pytest.approx(4000)
    assert each[-1].error == pytest.approx(-0.6)


def test_it_errs_as_the_page_concludes() -> None:
    """The prose says that it is near for projectors, and far too low for a saturated machine."""
    *projectors, whole = compared(figures(PUBLISHED), CURVE, Plan())
    assert all(abs(one.error) < 0.3 for one in projectors)
    assert whole.error < -0.5
