"""Whose processes are whose, and what they spent."""

from __future__ import annotations

import os
import subprocess
import sys

from bench.trial.resources.processes import kernel_threads, members, snapshot, spent_between, spent_each, table
from tests.unit.resources.machines import API, BACKEND, BENCH, KTHREADD, POSTGRES, SHELL, STRANGER, run, seen


def test_all_below_a_leader_is_its() -> None:
    assert members(run(), {BENCH}) == {BENCH, API, POSTGRES, BACKEND}
    assert members(run(), {POSTGRES}) == {POSTGRES, BACKEND}
    assert members(run(), {STRANGER}) == set()


def test_who_lost_its_parent_is_found_by_its_session_and_the_shells_session_is_not_ours() -> None:
    orphan = seen(1, "python3", 1.0, session=API)
    beside = seen(SHELL, "stress-ng", 9.0, session=SHELL)
    processes = {**run(), 600: orphan, STRANGER: beside}
    assert members(processes, {BENCH}, apart={SHELL}) == {BENCH, API, POSTGRES, BACKEND, 600}
    # The leader itself has died.
    del processes[API]
    assert 600 in members(processes, {BENCH, API}, apart={SHELL})


def test_a_child_that_ended_is_counted_once_by_its_parent() -> None:
    before, after = run(backend=2.0), run(ended=2.5)
    del after[BACKEND]
    ours = members(before, {BENCH})
    assert spent_between(before, after, ours) == 0.5
    # Born and ended in between.
    assert spent_between(run(), run(ended=0.75), ours) == 0.75


def test_a_leader_that_somebody_else_waited_for_takes_nothing_away_from_the_rest() -> None:
    container = {700: seen(690, "python3", 30.0)}
    before, after = {**run(api=1.0), **container}, run(api=2.0)
    assert spent_between(before, after, members(before, {BENCH, 700})) == 1.0


def test_a_number_that_was_given_again_is_another_process() -> None:
    before, after = {9: seen(1, "a", 5.0, born=1.0)}, {9: seen(1, "b", 2.0, born=2.0)}
    assert spent_each(before, after) == {9: 2.0}


def test_what_a_strangers_child_used_before_is_not_its_parents_now() -> None:
    before = {SHELL: seen(1, "make", 1.0, 4.0), 60: seen(SHELL, "cc", 10.0)}
    after = {SHELL: seen(1, "make", 1.5, 15.0)}
    assert spent_each(before, after) == {SHELL: 1.5}


def test_what_a_strangers_whole_family_used_before_is_not_now() -> None:
    before = {
        SHELL: seen(1, "bash", 1.0, 4.0),
        60: seen(SHELL, "pytest", 3.0, 5.0),
        61: seen(60, "python", 20.0),
        62: seen(61, "postgres", 7.0),
    }
    # All of them ended in order, and used two seconds more.
    after = {SHELL: seen(1, "bash", 1.0, 4.0 + 3.0 + 5.0 + 20.0 + 7.0 + 2.0)}
    assert spent_each(before, after) == {SHELL: 2.0}


def test_what_an_orphan_used_before_is_not_now_whoever_took_it_in() -> None:
    before = {
        1: seen(0, "init", 1.0, 100.0),
        SHELL: seen(1, "bash", 1.0),
        60: seen(SHELL, "setsid", 0.5),
        61: seen(60, "python", 20.0),
    }
    # Its parent ended first, for which the shell waited; the first process of all waited for the orphan.
    after = {1: seen(0, "init", 1.0, 100.0 + 20.0 + 2.0), SHELL: seen(1, "bash", 1.0, 0.5)}
    assert spent_each(before, after) == {1: 2.0, SHELL: 0.0}


def test_the_kernels_threads_are_known_by_their_parent() -> None:
    assert kernel_threads({**run(), **KTHREADD}) == {2, 30}
    assert kernel_threads(run()) == set()


def test_a_real_child_that_worked_and_ended_is_seen_in_the_time_of_this_process() -> None:
    before = table()
    done = subprocess.run(
        [sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass"], env={}, check=True
    )
    after = table()
    assert done.returncode == 0
    assert spent_between(before, after, members(after, {os.getpid()})) >= 0.3
    # With nothing but its living, it would be gone.
    assert after[os.getpid()].ended_s - before[os.getpid()].ended_s >= 0.3


def test_a_look_at_this_machine_has_its_cores_and_this_process() -> None:
    found = snapshot()
    assert found.cores >= 1
    assert found.times.work > 0
    assert os.getpid() in found.processes
