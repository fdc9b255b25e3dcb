"""A second of a run, and the seconds of its load phase in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest

from bench.platforms.postgres.cluster import free_port
from bench.trial.resources.asked import Asked
from bench.trial.resources.neighbours import between
from bench.trial.resources.sampler import LOOKS, Moment, second
from bench.trial.resources.section import PARTS, fold, shares, within
from bench.trial.resources.server import Counters, Told, label, tables_together, waits
from metrics.records.sections.resources import Counted, Resources, Second, Table
from tests.unit.resources.machines import API, BACKEND, BENCH, POSTGRES, SHELL, machine, run

LEADERS = {"api": API, "postgres": POSTGRES}


LABELS = {BACKEND: "api", POSTGRES: "postmaster"}
WHOLE = {"commits": 130, "rollbacks": 0, "wal_bytes": 9000, "tuples": 300, "blocks_hit": 99, "blocks_read": 1}


def moment(
    at: float, *, counters: Counters | None = None, labels: Mapping[int, str] = LABELS, **spent: float
) -> Moment:
    return Moment(machine(at, run(**spent)), [Told(counters, labels=labels)])


def line(before: Moment, after: Moment, leaders: Mapping[str, int] = LEADERS) -> dict[str, Any]:
    others = between(before.machine, after.machine, {BENCH}, apart={SHELL})
    return second(before, after, leaders, others, BENCH)


def backend(kind: str = "client backend", state: str | None = "active", name: str = "", wait: str = "") -> Any:
    type_, _, event = wait.partition(":")
    return {
        "pid": 1,
        "backend_type": kind,
        "application_name": name,
        "state": state,
        "wait_event_type": type_ or None,
        "wait_event": event or None,
    }


def a_second(t: float = 10.0, **changed: Any) -> Second:
    plain = Second(
        t=t,
        seconds=1.0,
        cpu_percent={"api": 40.0, "projector-1": 20.0, "projector-2": 20.0, "postgres": 60.0, "generator": 50.0},
        postgres_cpu_percent={"api": 30.0, "walwriter": 0.0},
        busy_share=0.96,
        neighbours_share=0.0,
        steal_share=0.0,
        iowait_share=0.0,
        looks=4,
        waits={"IO:WalSync": 3, "CPU": 1},
        events=100,
        commits=50,
        rollbacks=0,
        wal_bytes=40_000,
        tuples=300,
        blocks_hit=999,
        blocks_read=1,
        checkpoints=0,
        dead_tuples={"streams": 10},
    )
    return replace(plain, **changed)


def folded(*seconds: Second, single: tuple[str, ...] = (), parts: tuple[str, ...] = tuple(PARTS)) -> Resources:
    return fold(seconds, 200.0, cores=2, single=single, parts=parts)


def test_cpu_is_told_by_part_and_by_what_backends_work_for() -> None:
    told = line(moment(0.0), moment(2.0, api=1.0, backend=0.5))
    assert told["cpu_percent"] == {"api": 50.0, "postgres": 25.0, "bench": 0.0}
    assert told["postgres_cpu_percent"] == {"api": 25.0, "postmaster": 0.0}


def test_a_backend_that_ended_is_still_postgress() -> None:
    after = moment(2.0, ended=0.5)
    after = replace(after, machine=machine(2.0, {pid: p for pid, p in run(ended=0.5).items() if pid != BACKEND}))
    assert line(moment(0.0), after)["cpu_percent"]["postgres"] == 25.0


def test_numbers_of_a_server_elsewhere_are_none_of_this_machines() -> None:
    before, after = moment(0.0, labels={}), moment(2.0, backend=1.0, labels={7777: "api"})
    assert line(before, after)["postgres_cpu_percent"] == {}


def test_counts_are_of_the_second_and_the_samplers_own_commits_are_left_out() -> None:
    first = Counters({"commits": 100, "wal_bytes": 5000, "events": 7}, {"streams": 1})
    last = Counters({"commits": 130, "wal_bytes": 9000, "events": 3}, {"streams": 4})
    told = line(moment(0.0, counters=first), moment(1.0, counters=last))
    assert (told["commits"], told["wal_bytes"]) == (30 - LOOKS - 1, 4000)
    # Somebody has set the statistics back.
    assert told["events"] is None
    assert told["dead_tuples"] == {"streams": 4}


def servers(at: float, *told: Told) -> Moment:
    """What the servers of several shards told then."""
    return Moment(machine(at, run()), told)


def test_the_counts_of_several_servers_are_summed_and_each_has_its_own() -> None:
    first, last = Counters({"commits": 100, "wal_bytes": 5000}), Counters(WHOLE, {"streams": 4, "todos": 0})
    waits = ({"IO:WalSync": 3}, {"IO:WalSync": 1, "CPU": 2})
    after = servers(1.0, *(Told(last, 4, each) for each in waits))
    told = line(servers(0.0, Told(first), Told(first)), after)
    own = 30 - LOOKS - 1
    assert (told["commits"], told["wal_bytes"]) == (2 * own, 8000)
    assert (told["looks"], told["waits"]) == (4, {"IO:WalSync": 4, "CPU": 2})
    assert told["dead_tuples"] == {"streams": 8, "todos": 0}
    assert [(one["commits"], one["wal_bytes"], one["waits"]) for one in told["shards"]] == [
        (own, 4000, {"IO:WalSync": 3}),
        (own, 4000, {"IO:WalSync": 1, "CPU": 2}),
    ]
    assert "shards" not in Second.from_dict({"t": 1.0, **line(moment(0.0), moment(1.0))}).to_dict()


def test_where_one_of_several_servers_gives_no_answer_there_is_no_sum_and_the_others_own() -> None:
    counters = Counters(WHOLE, {"streams": 4})
    told = line(servers(0.0, Told(counters), Told(counters)), servers(1.0, Told(counters, 4), Told()))
    assert (told["wal_bytes"], told["dead_tuples"]) == (None, {})
    assert [(one["wal_bytes"], one["dead_tuples"]) for one in told["shards"]] == [(0, {"streams": 4}), (None, {})]
    table = Table(1, 2, 3, 4, 5, 6, 7)
    assert tables_together([{"events": table}, {}]) == {}
    assert tables_together([{"events": table}, {"events": table}]) == {"events": Table(2, 4, 6, 8, 10, 12, 14)}


def test_the_cpu_of_several_servers_is_theirs_and_by_whom_it_was_for_it_is_of_all() -> None:
    def at(seconds: float) -> Moment:
        found = run(backend=seconds / 10)
        other = {POSTGRES + 50: replace(found[POSTGRES], session=POSTGRES + 50)}
        other |= {BACKEND + 50: replace(found[BACKEND], parent=POSTGRES + 50, session=BACKEND + 50)}
        told = [Told(labels=LABELS), Told(labels={pid + 50: label for pid, label in LABELS.items()})]
        return Moment(machine(seconds, {**found, **other}), told)

    told = line(at(0.0), at(2.0), {**LEADERS, "postgres-1": POSTGRES + 50})
    assert (told["cpu_percent"]["postgres"], told["cpu_percent"]["postgres-1"]) == (10.0, 10.0)
    assert told["postgres_cpu_percent"] == {"api": 20.0, "postmaster": 0.0}


async def test_a_server_that_gives_no_answer_is_named_by_its_shard() -> None:
    asked = [Asked(f"postgresql://u:s3cret@127.0.0.1:{free_port()}/db", name) for name in ("shard 1", "")]
    for one in asked:
        await one.look()
        assert await one.told() == Told()
    assert asked[0].trouble.startswith("shard 1: Postgres was not asked: ")
    assert asked[1].trouble.startswith("Postgres was not asked: ")
    assert "s3cret" not in asked[0].trouble


def test_without_an_answer_of_postgres_its_counts_are_not_told() -> None:
    told = line(moment(0.0), moment(1.0, counters=Counters({"commits": 130})))
    assert told["commits"] is None


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        (backend(), "CPU"),
        (backend(wait="IO:WalSync"), "IO:WalSync"),
        (backend(state="idle", wait="Client:ClientRead"), None),
        (backend(state="idle in transaction", wait="Client:ClientRead"), "idle in transaction"),
        (backend("walwriter", None, wait="Activity:WalWriterMain"), None),
        (backend("checkpointer", None, wait="Timeout:CheckpointWriteDelay"), None),
        (backend("walwriter", None, wait="IO:WalWrite"), "IO:WalWrite"),
        (backend(kind="", state=None), None),
    ],
)
def test_who_has_nothing_to_do_is_not_busy(row: Any, seen: str | None) -> None:
    assert list(waits([row])) == ([seen] if seen else [])


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (backend(name="api"), "api"),
        (backend(name="projector-1-0a1b2c listening"), "projector"),
        (backend(name="bench-oracle"), "bench"),
        (backend(name="psql"), "other clients"),
        (backend("walwriter", None), "walwriter"),
    ],
)
def test_a_backend_is_told_by_whom_it_works_for(row: Any, told: str) -> None:
    assert label(row) == told


def test_seconds_that_reach_out_of_the_load_phase_are_left_out() -> None:
    phases = [
        {"name": "warmup", "started_at": 0.0, "ended_at": 9.5},
        {"name": "load", "started_at": 9.5, "ended_at": 12.0},
    ]
    assert [one.t for one in within(map(a_second, (10.0, 11.0, 12.0, 13.0)), phases)] == [11.0, 12.0]


def test_the_load_phase_in_one() -> None:
    told = folded(a_second(10.0), a_second(11.0, cpu_percent={**a_second().cpu_percent, "api": 80.0}))
    assert (told.cpu_percent["api"].mean, told.cpu_percent["api"].max) == (60.0, 80.0)
    assert told.cpu_us_per_action["api"] == 3000.0
    assert (told.wal_bytes_per_event, told.commits_per_event, told.tuples_per_event) == (400.0, 0.5, 3.0)
    assert (told.cache_hit_share, told.dead_tuples_growth) == (0.999, 0)
    assert [(wait.event, wait.share) for wait in told.waits] == [("IO:WalSync", 0.75), ("CPU", 0.25)]
    assert told.postgres_cpu_percent.keys() == {"api"}


def test_a_count_that_lacks_a_second_is_not_told() -> None:
    assert folded(a_second(), a_second(wal_bytes=None)).wal_bytes_per_event is None


def test_what_an_action_costs_is_that_of_all_parts_of_the_system_by_what_was_acknowledged() -> None:
    told = folded(a_second(10.0), a_second(11.0))
    # 140 % of a core without the generator, 40,000 bytes and 100 events a second, and 200 actions a second.
    assert (told.system_cpu_us_per_action, told.wal_bytes_per_action) == (7000.0, 200.0)
    assert told.wal_bytes_per_event == 400.0


def test_the_cost_of_an_action_is_not_told_where_a_part_is_not_known() -> None:
    table = a_second(cpu_percent={"api": 40.0, "postgres": 60.0, "generator": 50.0})
    assert folded(table).system_cpu_us_per_action is None
    told = folded(table, parts=("postgres", "api", "generator"))
    assert (told.reason, told.system_cpu_us_per_action) == ("", 5000.0)


def test_what_bounded_a_run_is_told_where_the_figures_say_so() -> None:
    busy = "the 2 cores were 96% busy: Postgres 30%, generator 25%, API 20%, projector 20%"
    assert folded(a_second()).bounded_by == busy
    assert "other processes 40%" in folded(a_second(neighbours_share=0.4)).bounded_by
    idle = a_second(busy_share=0.5)
    one = replace(idle, cpu_percent={"api": 97.0})
    assert folded(one, single=("api",)).bounded_by == "api, one process that uses one core, was busy for 97 % of it"
    assert "waited" not in folded(idle).bounded_by
    many = replace(idle, waits={"IO:WalSync": 30, "CPU": 10})
    assert folded(many).bounded_by == "Postgres: 75% of its busy backends waited for IO:WalSync"
    assert folded(replace(many, waits={"CPU": 40})).bounded_by == ""


def counted(**changed: Any) -> Counted:
    """What one shard's server counted in a second of 100 events."""
    told: dict[str, Any] = {each.name: getattr(a_second(), each.name) for each in fields(Counted)}
    return Counted(**{**told, **changed})


def test_each_shard_is_told_by_its_own_events_and_one_that_is_full_is_named() -> None:
    quiet, full = counted(waits={}), counted(events=10, wal_bytes=40_000, waits={"IO:WalSync": 45, "CPU": 5})
    each = a_second(busy_share=0.5, waits={"CPU": 60, "IO:WalSync": 45}, events=110, shards=[quiet, full])
    told = folded(each, each)
    assert [(one.events, one.wal_bytes_per_event) for one in told.shards] == [(200, 400.0), (20, 4000.0)]
    assert [[wait.share for wait in one.waits] for one in told.shards] == [[], [0.9, 0.1]]
    assert told.bounded_by == "Postgres of shard 1: 90% of its busy backends waited for IO:WalSync"
    assert folded(a_second(waits={"IO:WalSync": 60})).bounded_by.startswith("the 2 cores were")
    assert Resources.from_dict(told.to_dict()) == told
    gone = folded(each, replace(each, events=None, wal_bytes=None, shards=[quiet, counted(wal_bytes=None)]))
    assert (gone.wal_bytes_per_event, [one.wal_bytes_per_event for one in gone.shards]) == (None, [400.0, None])


def test_the_result_of_one_shard_has_nothing_of_shards() -> None:
    assert "shards" not in folded(a_second()).to_dict()
    assert "shards" not in a_second().to_dict()
    cpu = {"api": 40.0, "postgres": 60.0, "postgres-1": 40.0}
    assert shares(folded(a_second(cpu_percent=cpu))) == "Postgres 50%, API 20%"


def test_a_part_that_runs_elsewhere_is_told_as_lacking() -> None:
    told = folded(a_second(cpu_percent={"generator": 50.0}))
    assert told.reason == "CPU of Postgres, API, projector: no process that is known to be theirs runs here"
    assert shares(told) == "generator 25%"


def test_nothing_sampled_is_told() -> None:
    assert folded().reason == "no second of the load phase was sampled"


def test_a_line_is_read_back_strictly() -> None:
    assert Second.from_dict(a_second().to_dict()) == a_second()
    whole = folded(a_second())
    assert Resources.from_dict(whole.to_dict()) == whole
    with pytest.raises(ValueError, match=r"unknown field `most` - at `\$\.cpu_percent\.api`"):
        Resources.from_dict({**whole.to_dict(), "cpu_percent": {"api": {"mean": 1.0, "max": 2.0, "most": 3.0}}})
