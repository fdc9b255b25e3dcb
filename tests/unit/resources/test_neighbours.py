"""Who else was on the machine: what others took, what its host stole, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from bench.trial.resources.neighbours import between, not_told, section, steal_alone
from bench.trial.resources.processes import Times
from metrics.records.sections.resources import Neighbour, Neighbours
from tests.unit.resources.machines import BACKEND, BENCH, SHELL, STRANGER, machine, run, seen

BUSY = {STRANGER: seen(SHELL, "stress-ng", 4.0, session=SHELL)}
IDLE = {STRANGER: seen(SHELL, "stress-ng", 0.0, session=SHELL)}


def test_what_the_run_itself_and_its_ended_children_spent_is_nobodys() -> None:
    before = machine(0.0, run(backend=1.0))
    after = machine(10.0, {pid: one for pid, one in run(api=9.0, ended=8.0).items() if pid != BACKEND})
    found = between(before, after, {BENCH}, apart={SHELL})
    assert found.processes_s == 0
    assert found.by_name == {"bash": 0.0}


def test_who_shares_the_session_of_the_bench_is_another_all_the_same() -> None:
    leads = {BENCH: seen(SHELL, "python3", 1.0, session=BENCH)}
    idle = {STRANGER: seen(1, "stress-ng", 0.0, session=BENCH)}
    busy = {STRANGER: seen(1, "stress-ng", 4.0, session=BENCH)}
    found = between(machine(0.0, run() | leads | idle), machine(10.0, run() | leads | busy), {BENCH}, apart={BENCH})
    assert found.by_name["stress-ng"] == 4.0


@pytest.mark.parametrize("whole", [True, False])
def test_others_are_told_with_their_names(whole: bool) -> None:
    before = machine(0.0, run() | IDLE, whole=whole)
    times = Times(work=4.0 + 6.0, user=4.0 + 6.0)
    after = machine(10.0, run(api=6.0) | BUSY, times=times, whole=whole)
    told = section({"load": between(before, after, {BENCH}, apart={SHELL})})
    assert (told.cpu_share, told.processes_share) == (0.2, 0.2)
    assert told.top == [Neighbour("stress-ng", 0.2)]
    assert told.doubt == "other processes took 20% of the usable cores (stress-ng 20%) in the load phase"


def test_within_a_container_others_are_told_without_their_names() -> None:
    before = machine(0.0, run(), whole=False)
    after = machine(10.0, run(api=6.0), times=Times(work=10.0, user=10.0), whole=False)
    told = section({"load": between(before, after, {BENCH}, apart={SHELL})})
    assert told.processes_share == 0.2
    assert told.doubt == "other processes took 20% of the usable cores in the load phase"


def test_within_a_container_what_the_kernel_does_for_the_runs_writes_is_no_neighbour() -> None:
    times = Times(work=6.0 + 4.0, user=6.0)
    after = machine(10.0, run(api=6.0), times=times, whole=False)
    assert between(machine(0.0, run(), whole=False), after, {BENCH}, apart={SHELL}).processes_s == 0.0


def test_on_some_of_the_cores_a_stranger_on_another_took_nothing_of_them() -> None:
    part = frozenset({0, 1})
    before = replace(machine(0.0, run() | IDLE), numbers=part)
    elsewhere = {STRANGER: replace(BUSY[STRANGER], core=9)}
    kernel = {30: seen(2, "kworker/0:1", 6.0, born=1.0, core=1), 31: seen(2, "kworker/9:1", 8.0, born=1.0, core=9)}
    after = replace(machine(10.0, run(api=6.0) | elsewhere, times=Times(work=7.0)), numbers=part)
    told = between(before, replace(after, processes={**after.processes, **kernel}), {BENCH}, apart={SHELL})
    assert (told.capacity_s, told.processes_s, told.kernel_s) == (20.0, 0.0, 1.0)
    assert "stress-ng" not in told.by_name


def test_on_some_of_the_cores_a_stranger_is_told_by_what_these_cores_worked() -> None:
    part = frozenset({0, 1})
    before = replace(machine(0.0, run() | IDLE), numbers=part)
    beside = {STRANGER: replace(BUSY[STRANGER], core=1)}
    after = replace(machine(10.0, run(api=6.0) | beside, times=Times(work=10.0)), numbers=part)
    told = section({"load": between(before, after, {BENCH}, apart={SHELL})})
    assert told.doubt == "other processes took 20% of the usable cores (stress-ng 20%) in the load phase"
    # It came here at the end: nearly all of its time was on other cores.
    late = between(before, replace(after, times=Times(work=6.5)), {BENCH}, apart={SHELL})
    assert (late.processes_s, late.by_name["stress-ng"]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("cut", "doubt"), [(5, ""), (12, "the CPU quota was used up in 12% of its periods (throttled)")]
)
def test_a_quota_that_made_the_run_wait_is_a_doubt_of_its_own(cut: int, doubt: str) -> None:
    before = replace(machine(0.0, run()), throttled={"/a": (1000, 700), "/b": (0, 0)})
    after = replace(machine(10.0, run()), throttled={"/a": (1100, 700 + cut), "/b": (0, 0), "/new": (100, 100)})
    told = section({"load": between(before, after, {BENCH}, apart={SHELL})})
    assert (told.cpu_share, told.throttled_share) == (0.0, cut / 100)
    assert told.lost == doubt
    assert steal_alone(told, "mixed").lost == doubt


def test_steal_is_lost_like_what_others_took_and_waiting_for_a_disk_is_not() -> None:
    before, after = machine(0.0, run()), machine(10.0, run(), times=Times(steal=3.0, iowait=5.0))
    told = section({"load": between(before, after, {BENCH}, apart={SHELL})})
    assert (told.cpu_share, told.processes_share, told.steal_share, told.iowait_share) == (0.15, 0.0, 0.15, 0.25)
    assert told.doubt == "the host took 15% of the usable cores (steal) in the load phase"


def test_the_kernels_threads_and_interrupts_are_apart() -> None:
    before, later = machine(0.0, run()), machine(10.0, run(), times=Times(interrupts=1.0))
    busy = {**later.processes, 30: seen(2, "kworker/0:1", 8.0, born=1.0)}
    told = section({"load": between(before, machine(10.0, busy, times=later.times), {BENCH}, apart={SHELL})})
    assert (told.processes_share, told.kernel_share) == (0.0, 0.2)
    assert not told.doubt


def test_the_worst_phase_is_told_and_each_has_its_share() -> None:
    before, between_them = machine(0.0, run() | IDLE), machine(10.0, run() | IDLE)
    after = machine(15.0, run() | BUSY)
    phases = {"load": between(before, between_them, {BENCH}), "convergence": between(between_them, after, {BENCH})}
    told = section(phases)
    assert (told.phase, told.cpu_share) == ("convergence", 0.4)
    assert told.by_phase == {"load": 0.0, "convergence": 0.4}


def test_what_others_took_of_the_load_phase_stands_before_more_of_a_shorter_one() -> None:
    moments = [machine(at, run() | {STRANGER: seen(SHELL, "stress-ng", s)}) for at, s in ((0, 0), (10, 2), (12, 5))]
    load, convergence = (between(a, b, {BENCH}) for a, b in pairwise(moments))
    told = section({"load": load, "convergence": convergence})
    assert (told.phase, told.cpu_share) == ("load", 0.1)
    assert told.by_phase == {"load": 0.1, "convergence": 0.75}


def test_little_is_no_doubt_and_nothing_is_no_zero() -> None:
    assert Neighbours(cpu_share=0.05, processes_share=0.05).doubt == ""
    assert section({}).cpu_share is None
    assert section({}).reason
    assert not_told("because").doubt == ""


def test_of_a_system_that_can_not_be_told_from_others_steal_alone_is_told() -> None:
    told = steal_alone(Neighbours(0.5, 0.3, 0.2, 0.0, 0.0, "load", top=[Neighbour("postgres", 0.3)]), "mixed")
    assert (told.cpu_share, told.processes_share, told.top, told.reason) == (None, None, [], "mixed")
    assert told.doubt == "the host took 20% of the usable cores (steal) in the load phase"
