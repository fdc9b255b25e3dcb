"""The verdict, as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metrics.records.result import Verdict
from services.loadgen.judge.convergence import (
    NO_MOMENTS,
    Evidence,
    Held,
    Judgement,
    LoadHealth,
    Looks,
    Streaks,
    gravest,
    judge,
    matches,
    measure,
    validity,
)
from services.loadgen.judge.ledger import Counts, Expected
from services.loadgen.judge.stats import Stats

RIGHT = Counts(todos=10, active=6, events=20)
STATS = Stats(
    counts=RIGHT,
    events_in_store=20,
    backlog=0,
    event_id_lag=0,
    oldest_unprojected_age_ms=0.0,
    blocked_streams=0,
    blocked_because="",
    stuck=False,
    last_event_at=100.0,
    last_projected_at=100.25,
    head_position=20,
    projected_position=20,
    serial=False,
    strategies=(),
    projectors=(),
)
BEHIND = replace(STATS, backlog=5, counts=Counts(10, 7, 15))
WRONG = replace(STATS, counts=Counts(10, 7, 20))
BLOCKED = replace(BEHIND, blocked_streams=1, blocked_because="stream t at version 3: planted")
SETTLED = Evidence(STATS, Expected(RIGHT, RIGHT), confirmed=False, elapsed_s=1.0, limit_s=60.0, unchanged_s=0.1)


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (SETTLED, None),
        (replace(SETTLED, confirmed=True), "converged"),
        (replace(SETTLED, confirmed=True, elapsed_s=61.0), "converged"),
        (replace(SETTLED, elapsed_s=60.0), "timed_out"),
        (replace(SETTLED, stats=BEHIND), None),
        (replace(SETTLED, stats=BEHIND, unchanged_s=30.0), None),
        (replace(SETTLED, stats=BEHIND, elapsed_s=60.0), "timed_out"),
        (replace(SETTLED, stats=WRONG), None),
        (replace(SETTLED, stats=WRONG, unchanged_s=4.9), None),
        (replace(SETTLED, stats=WRONG, unchanged_s=5.0), "diverged"),
        (replace(SETTLED, stats=WRONG, elapsed_s=60.0), "diverged"),
        (replace(SETTLED, stats=WRONG, limit_s=2.0, unchanged_s=2.0), "diverged"),
        (replace(SETTLED, stats=BLOCKED), None),
        (replace(SETTLED, stats=BLOCKED, unchanged_s=5.0), "blocked"),
        (replace(SETTLED, stats=BLOCKED, elapsed_s=60.0), "blocked"),
    ],
)
def test_the_verdict_follows_from_the_evidence(evidence: Evidence, verdict: Verdict | None) -> None:
    judgement = judge(evidence)
    assert (judgement and judgement.verdict) == verdict


def test_the_reason_names_what_is_wrong() -> None:
    diverged = judge(replace(SETTLED, stats=WRONG, unchanged_s=9.0))
    assert diverged is not None
    assert diverged.why == "nothing is left to project, but active todos 7, expected 6"
    blocked = judge(replace(SETTLED, stats=BLOCKED, unchanged_s=9.0))
    assert blocked is not None
    assert "stream t at version 3: planted" in blocked.why


def test_bounds_are_told_as_bounds() -> None:
    expected = Expected(RIGHT, Counts(11, 6, 21))
    judgement = judge(replace(SETTLED, stats=replace(STATS, counts=Counts(12, 6, 20)), expected=expected, elapsed_s=60))
    assert judgement is not None
    assert "todos 12, expected 10 to 11" in judgement.why


@pytest.mark.parametrize("stats", [BEHIND, WRONG, replace(STATS, backlog=1)])
def test_no_match_while_anything_is_left_or_wrong(stats: Stats) -> None:
    assert not matches(stats, Expected(RIGHT, RIGHT))


def test_streaks_need_every_reader_and_start_again_after_a_mismatch() -> None:
    streaks = Streaks([0, 4], needed=2)
    for reader, match in [(0, True), (0, True), (4, True), (4, False), (4, True), (7, True)]:
        streaks.note(reader, match=match)
        assert not streaks.confirmed
    streaks.note(4, match=True)
    assert streaks.confirmed
    streaks.note(0, match=False)
    assert not streaks.confirmed


def test_time_comes_from_the_servers_clock_and_leaves_the_confirmation_out() -> None:
    found = measure(BEHIND, STATS, "converged", elapsed_s=9.0)
    assert (found.time_s, found.events, found.speed_events_per_s) == (0.25, 5, 20.0)


def test_a_projection_that_was_never_behind_takes_no_time() -> None:
    found = measure(STATS, replace(STATS, last_projected_at=99.0), "converged", elapsed_s=9.0)
    assert (found.time_s, found.events, found.speed_events_per_s) == (0.0, 0, None)
    assert found.why == "nothing was left to project after the last write"
    empty = replace(STATS, last_event_at=None, last_projected_at=None)
    assert measure(empty, empty, "converged", elapsed_s=9.0).time_s == 0.0


def test_time_counts_from_the_later_of_the_last_write_and_the_release() -> None:
    found = measure(BEHIND, STATS, "converged", 9.0, Held(5.0, released_at=100.2, resolution_s=0.002))
    assert found.time_s == pytest.approx(0.05)
    assert found.speed_events_per_s == pytest.approx(100.0)
    assert (found.events, found.held_s, found.resolution_s, found.why) == (5, 5.0, 0.002, "")
    early = measure(BEHIND, STATS, "converged", 9.0, Held(5.0, released_at=99.0))
    assert early.time_s == 0.25, "a write that was committed after the release"


def test_a_hold_that_could_not_be_had_leaves_no_speed_and_says_why() -> None:
    found = measure(BEHIND, STATS, "converged", 9.0, Held(why="no hold: nobody", missed=True))
    assert (found.time_s, found.events, found.held_s, found.speed_events_per_s) == (0.25, 5, 0.0, None)
    assert found.why == "no hold: nobody"
    nothing = measure(STATS, replace(STATS, last_projected_at=99.0), "converged", 9.0, Held(why="no hold", missed=True))
    assert nothing.why == "no hold; nothing was left to project after the last write"


def test_a_projection_that_was_behind_anyway_has_a_speed_without_a_hold() -> None:
    found = measure(BEHIND, STATS, "converged", 9.0, Held(why="no hold: behind"))
    assert (found.speed_events_per_s, found.held_s, found.why) == (20.0, 0.0, "no hold: behind")


def test_without_convergence_the_time_is_how_long_one_waited() -> None:
    assert measure(BEHIND, replace(BEHIND, backlog=2), "timed_out", elapsed_s=60.0).time_s == 60.0


@pytest.mark.parametrize(
    ("health", "valid"),
    [
        (LoadHealth(answered=100, errors=0), True),
        (LoadHealth(answered=95, errors=5), True),
        (LoadHealth(answered=94, errors=6), False),
        (LoadHealth(answered=0, errors=0), False),
        (LoadHealth(answered=100, errors=0, missed_share=0.05), True),
        (LoadHealth(answered=100, errors=0, missed_share=0.06), False),
    ],
)
def test_numbers_that_mean_nothing_are_invalid(health: LoadHealth, valid: bool) -> None:
    judgement = validity(health)
    assert (judgement is None) == valid
    assert judgement is None or judgement.verdict == "invalid"


@pytest.mark.parametrize(
    ("verdicts", "decides"),
    [
        (["converged", "converged"], "converged"),
        (["converged", "invalid"], "invalid"),
        (["timed_out", "invalid"], "invalid"),
        (["blocked", "invalid"], "blocked"),
        (["converged", "invalid", "diverged"], "diverged"),
    ],
)
def test_a_finding_about_the_server_outranks_a_doubt_about_the_measurement(
    verdicts: list[Verdict], decides: Verdict
) -> None:
    assert gravest(Judgement(verdict, "") for verdict in verdicts).verdict == decides


def test_a_load_of_which_nothing_was_sent_missed_its_rate() -> None:
    """Users that still serve the warm-up's requests answer none of the load's: the rate is the reason, no silence."""
    found = validity(LoadHealth(answered=0, errors=0, missed_share=1.0, missed_because="its pool was busy"))
    assert found is not None
    assert found.why == "the generator missed its rate by 100%: its pool was busy"


UNTOLD = replace(STATS, last_event_at=None, last_projected_at=None, blocked_streams=None, event_id_lag=None)
MACHINE = Held(5.0, released_at=1000.0, resolution_s=0.001, clock="machine")


def test_without_the_targets_moments_the_time_is_from_the_clients_own() -> None:
    """From before the last commit to after the end, so that no speed is too high; known to the time between looks."""
    looks = Looks(written_at=999.0, seen_at=1000.5, unseen_at=1000.25)
    held = measure(replace(UNTOLD, backlog=5), UNTOLD, "converged", 9.0, MACHINE, looks)
    assert (held.time_s, held.speed_events_per_s, held.until) == (0.5, 10.0, "seen")
    assert (held.held_s, held.why) == (5.0, "")
    assert held.resolution_s == pytest.approx(0.251)
    unheld = measure(replace(UNTOLD, backlog=5), UNTOLD, "converged", 9.0, None, looks)
    assert (unheld.time_s, unheld.until) == (1.5, "seen")


def test_where_every_look_saw_the_end_nothing_is_known_but_when_it_was_seen() -> None:
    found = measure(replace(UNTOLD, backlog=5), UNTOLD, "converged", 9.0, None, Looks(999.0, 1000.5, None))
    assert (found.time_s, found.resolution_s) == (1.5, 1.5)


def test_a_release_by_another_clock_is_never_put_on_that_of_the_target() -> None:
    found = measure(BEHIND, STATS, "converged", 9.0, MACHINE, Looks(999.0, 1000.5, 1000.25))
    assert (found.time_s, found.until) == (0.5, "seen")


def test_without_any_moment_there_is_no_speed() -> None:
    for held in (None, Held(5.0, released_at=100.2)):
        found = measure(replace(UNTOLD, backlog=5), UNTOLD, "converged", 9.0, held, Looks(None, 1000.5))
        assert (found.time_s, found.speed_events_per_s) == (0.0, None)
        assert found.why == NO_MOMENTS


def test_a_target_that_tells_no_blocked_streams_is_not_blocked() -> None:
    late = judge(replace(SETTLED, stats=replace(BEHIND, blocked_streams=None), elapsed_s=60.0))
    assert late is not None
    assert late.verdict == "timed_out"
