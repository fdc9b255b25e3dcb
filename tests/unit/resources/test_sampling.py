"""A second of a run, and the seconds of its load phase in one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.trial.resources.neighbours import between
from bench.trial.resources.sampler import LOOKS, Moment, second
from bench.trial.resources.section import PARTS, fold, shares, within
from bench.trial.resources.server import Counters, label, waits
from metrics.records.sections.resources import Resources, Second
from tests.unit.resources.machines import API, BACKEND, BENCH, POSTGRES, SHELL, machine, run

LEADERS = {"api": API, "postgres": POSTGRES}


def moment(at: float, *, counters: Counters | None = None, **spent: float) -> Moment:
    return Moment(machine(at, run(**spent)), counters, {BACKEND: "api", POSTGRES: "postmaster"})


def line(before: Moment, after: Moment) -> dict[str, Any]:
    others = between(before.machine, after.machine, {BENCH}, apart={SHELL})
    return second(before, after, LEADERS, others, BENCH)


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
    before, after = moment(0.0), replace(moment(2.0, backend=1.0), labels={7777: "api"})
    assert line(replace(before, labels={}), after)["postgres_cpu_percent"] == {}


def test_counts_are_of_the_second_and_the_samplers_own_commits_are_left_out() -> None:
    first = Counters({"commits": 100, "wal_bytes": 5000, "events": 7}, {"streams": 1})
    last = Counters({"commits": 130, "wal_bytes": 9000, "events": 3}, {"streams": 4})
    told = line(moment(0.0, counters=first), moment(1.0, counters=last))
    assert (told["commits"], told["wal_bytes"]) == (30 - LOOKS - 1, 4000)
    # Somebody has set the statistics back.
    assert told["events"] is None
    assert told["dead_tuples"] == {"streams": 4}


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
