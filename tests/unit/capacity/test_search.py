"""The search for a capacity, on made-up systems: a sharp edge, a noisy one, none at all, and a weak generator."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest

from bench.answers.capacity.objective import Outcome
from bench.answers.capacity.search import CHECKS, CLOSE, CONFIRMATIONS, Answer, Purpose, Rung, Search

System = Callable[[float], Outcome]
PLENTY = 1000


def edge(at: float) -> System:
    """Holds up to a rate, fails above it."""
    return lambda rate: "holds" if rate <= at else "fails"


def noisy(at: float, random: Random, width: float = 0.05) -> System:
    """Holds with a chance that falls from 1 to 0 around a rate: 73 % at `width` below it."""

    def tried(rate: float) -> Outcome:
        return "holds" if random.random() < 1 / (1 + math.exp(math.log(rate / at) / width)) else "fails"

    return tried


def weak_generator(system: System, at: float) -> System:
    """The generator is at its end above a rate."""
    return lambda rate: system(rate) if rate <= at else "unsound"


def run(system: System, *, start: float = 100, least: float = 1, most: float = 1e6, left: int = PLENTY) -> Search:
    search = Search(start, least, most)
    while (rung := search.next(left)) is not None:
        search.take(rung, system(rung.rate))
        left -= 1
        assert len(search.tried) < PLENTY, "it does not end"
    return search


@pytest.mark.parametrize("at", [3.7, 99, 100, 101, 640, 7777.0])
@pytest.mark.parametrize("start", [10.0, 100.0, 5000.0])
def test_a_sharp_edge_is_found_within_ten_percent_and_both_ends_are_confirmed(at: float, start: float) -> None:
    answer = run(edge(at), start=start).answer()
    assert answer.end == "found"
    assert answer.holds is not None
    assert answer.fails is not None
    assert answer.holds <= at < answer.fails
    assert answer.fails / answer.holds < CLOSE * 1.01
    assert (answer.confirmed, answer.checked) == (CONFIRMATIONS, CHECKS)


def test_the_rungs_go_up_by_half_until_one_fails_twice_then_between() -> None:
    search = run(edge(260), start=100)
    asked = [(rung.rate, rung.purpose, outcome) for rung, outcome in search.tried]
    assert asked[:5] == [
        (100, "ladder", "holds"),
        (150, "ladder", "holds"),
        (225, "ladder", "holds"),
        (338, "ladder", "fails"),
        (338, "ladder", "fails"),
    ]
    assert asked[5] == (276, "bisect", "fails")
    holds = search.answer().holds
    purposes = [rung.purpose for rung, _ in search.tried[-5:]]
    assert sorted(purposes) == ["beyond", "beyond", "confirm", "confirm", "confirm"]
    assert {rung.rate for rung, _ in search.tried[-5:] if rung.purpose == "confirm"} == {holds}
    assert holds is not None
    beyond = {rung.rate for rung, _ in search.tried[-5:] if rung.purpose == "beyond"}
    assert beyond == {float(f"{holds * 1.1:.3g}")}


def test_one_failure_by_chance_is_tried_again() -> None:
    outcomes = iter(["holds", "fails", "holds", "holds"])
    search = Search(100, 1, 1e6)
    for _ in range(4):
        rung = search.next(PLENTY)
        assert rung is not None
        search.take(rung, next(outcomes))  # type: ignore[arg-type]
    assert [rung.rate for rung, _ in search.tried] == [100, 150, 150, 150]
    assert search.next(PLENTY) == Rung(225, "ladder")


def test_a_noisy_system_gets_an_interval_around_its_edge() -> None:
    inside, ends = 0, set()
    for seed in range(200):
        answer = run(noisy(640, Random(seed))).answer()
        assert answer.holds is not None
        ends.add(answer.end)
        inside += answer.holds <= 640 * 1.1 and (answer.fails or math.inf) >= 640 * 0.95
        assert answer.fails is None or answer.fails > answer.holds
    assert inside >= 190
    assert "found" in ends


def test_a_system_that_fails_at_once_in_a_confirmation_is_searched_below() -> None:
    given = {
        100.0: iter(["holds", "holds", "fails", "holds", "holds"]),
        150.0: iter(["fails", "fails"]),
        122.0: iter(["fails", "fails"]),
    }
    search = Search(100, 1, 1e6)
    while (rung := search.next(PLENTY)) is not None:
        below: Outcome = "holds" if rung.rate < 100 else "fails"
        search.take(rung, next(given[rung.rate], "fails") if rung.rate in given else below)  # type: ignore[arg-type]
    answer = search.answer()
    assert answer.holds is not None
    assert 90 <= answer.holds < 100
    assert sum(rung.rate == 100 for rung, _ in search.tried) == 3, "what failed in a confirmation is not tried again"
    assert (answer.confirmed, answer.end) == (CONFIRMATIONS, "found")


def test_a_system_that_never_fails_is_told_as_at_least() -> None:
    answer = run(lambda _: "holds", most=10_000).answer()
    assert answer == Answer(10_000, None, CONFIRMATIONS, 0, "most")


def test_a_system_that_fails_at_every_rate_has_no_capacity() -> None:
    search = run(lambda _: "fails", start=100, least=10)
    assert search.answer() == Answer(None, 10, 0, 0, "least")
    assert all(rung.purpose == "ladder" for rung, _ in search.tried)


def test_a_system_that_fails_at_the_first_rung_is_searched_downwards() -> None:
    search = run(edge(30), start=100)
    answer = search.answer()
    assert answer.end == "found"
    assert [rung.rate for rung, _ in search.tried[:6]] == [100, 100, 66.7, 66.7, 44.5, 44.5]
    assert answer.holds is not None
    assert 27 < answer.holds <= 30


def test_where_the_generator_is_at_its_end_first_the_answer_is_at_least() -> None:
    answer = run(weak_generator(edge(5000), 640)).answer()
    assert answer.holds is not None
    assert 580 < answer.holds <= 640
    assert (answer.fails, answer.confirmed, answer.checked, answer.end) == (None, CONFIRMATIONS, 0, "generator")


def test_an_edge_below_the_generators_end_is_found_all_the_same() -> None:
    answer = run(weak_generator(edge(600), 640)).answer()
    assert answer.holds is not None
    assert answer.holds <= 600 < (answer.fails or 0) <= 640
    assert (answer.confirmed, answer.checked, answer.end) == (CONFIRMATIONS, CHECKS, "found")


def test_a_generator_at_its_end_from_the_start_is_searched_downwards() -> None:
    answer = run(weak_generator(edge(5000), 50)).answer()
    assert answer.holds is not None
    assert 45 < answer.holds <= 50
    assert (answer.fails, answer.end) == (None, "generator")
    assert run(lambda _: "unsound", least=10).answer() == Answer(None, None, 0, 0, "generator")


def test_doubts_are_tried_again_and_end_the_search_when_they_stay() -> None:
    search = run(lambda rate: "holds" if rate < 200 else "doubtful", start=100)
    assert [(rung.rate, outcome) for rung, outcome in search.tried] == [
        (100, "holds"),
        (150, "holds"),
        *[(225, "doubtful")] * 3,
    ]
    assert search.answer() == Answer(150, None, 0, 0, "doubts")


def test_a_run_without_figures_ends_the_search() -> None:
    search = run(lambda _: "void")
    assert (len(search.tried), search.answer().end) == (1, "void")


def test_what_holds_beyond_moves_the_end_that_fails() -> None:
    seen: list[float] = []

    def system(rate: float) -> Outcome:
        seen.append(rate)
        return "holds" if rate <= 640 or (rate > 660 and seen.count(rate) == 3) else "fails"

    answer = run(system, start=640).answer()
    assert answer.holds == 640
    assert answer.fails is not None
    assert answer.fails >= 640 * 1.1


def test_no_rate_is_told_to_fail_at_or_below_one_that_held() -> None:
    search = Search(start=499, least=1, most=1e6)
    tried: list[tuple[float, Purpose, Outcome]] = [
        (499, "ladder", "fails"),
        (499, "ladder", "fails"),
        (333, "ladder", "holds"),
        (408, "bisect", "holds"),
        (494, "beyond", "holds"),
        (494, "confirm", "holds"),
        (543, "beyond", "holds"),
    ]
    for rate, purpose, outcome in tried:
        search.take(Rung(rate, purpose), outcome)
    assert search.next(0) is None
    assert (search.answer().holds, search.answer().fails, search.answer().end) == (494, None, "budget")
    search.take(Rung(600, "ladder"), "fails")
    search.take(Rung(600, "ladder"), "fails")
    assert search.answer().fails == 600


@pytest.mark.parametrize("left", range(25))
def test_the_search_adapts_to_the_time_and_says_what_is_not_confirmed(left: int) -> None:
    search = run(edge(640), left=left)
    answer = search.answer()
    assert len(search.tried) <= left
    assert answer.holds is None or answer.holds <= 640
    assert answer.fails is None or answer.fails > 640
    whole = answer.confirmed == CONFIRMATIONS and answer.checked == CHECKS
    narrow = bool(answer.holds and answer.fails and answer.fails / answer.holds < CLOSE * 1.01)
    assert answer.end == ("found" if whole and narrow else "budget")
    if answer.holds and left >= 14:
        assert answer.confirmed == CONFIRMATIONS, "bisections are left out, not confirmations"


def test_a_search_that_is_broken_off_says_what_it_knows() -> None:
    search = Search(100, 1, 1e6)
    for _ in range(3):
        rung = search.next(PLENTY)
        assert rung is not None
        search.take(rung, "holds")
    search.interrupt()
    assert search.next(PLENTY) is None
    assert search.answer() == Answer(225, None, 0, 0, "interrupted")
