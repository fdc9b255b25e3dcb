"""The answer to each metric of a table: what is told, what is only hinted at, and what nothing is said of."""

from __future__ import annotations

import dataclasses
import math

import pytest

from bench.compare.statistics.contrast import Contrast, Terms, contrasts, error_rate
from bench.compare.statistics.pairs import Bound, Pair, Value

BASE = (100.0, 101.0, 99.0, 100.0, 102.0)
PLAIN = Terms()
ARM = (120.0, 122.0, 117.0, 121.0, 124.0)


def pairs(
    base: tuple[float, ...] = BASE, arm: tuple[float, ...] = ARM, cut: tuple[Bound, Bound] = ("exact", "exact")
) -> list[Pair]:
    return [Pair(Value(b, cut[0]), Value(a, cut[1])) for b, a in zip(base, arm, strict=True)]


def judged(found: list[Pair], terms: Terms = PLAIN) -> Contrast:
    return contrasts({"metric": found}, terms, "seed")["metric"]


def test_five_pairs_that_agree_beyond_noise_are_an_answer_with_its_interval() -> None:
    found = judged(pairs())
    assert (found.answer, found.hint, found.because, found.bound, found.pairs) == ("higher", "", "", "exact", 5)
    assert found.ratios == pytest.approx([1.2, 122 / 101, 117 / 99, 1.21, 124 / 102])
    assert found.ratio == pytest.approx(122 / 101)
    assert (found.low, found.high) == pytest.approx((117 / 99, 124 / 102))
    assert (found.covered, found.p) == (1 - 2 / 32, 1 / 16)
    assert judged(pairs(ARM, BASE)).answer == "lower"


def test_the_ratio_is_that_of_pairs_and_not_that_of_medians() -> None:
    """A machine that slows down over the sitting moves both trials of a pair: each ratio is 1.1, whatever it was at."""
    slowing = (100.0, 80.0, 60.0, 40.0, 20.0)
    found = judged(pairs(slowing, tuple(1.1 * value for value in slowing)))
    assert found.ratios == pytest.approx([1.1] * 5)
    assert (found.ratio, found.low, found.high) == pytest.approx((1.1, 1.1, 1.1))
    # Medians of the arms would say the same here, and something else once one pair is turned.
    odd = judged(pairs((100.0, 10.0, 60.0), (110.0, 11.0, 600.0)))
    assert odd.ratio == pytest.approx(1.1)
    assert odd.ratio != pytest.approx(110 / 60)


@pytest.mark.parametrize("number", [2, 3, 4])
def test_fewer_than_five_pairs_are_a_hint_and_never_an_answer(number: int) -> None:
    found = judged(pairs(BASE[:number], ARM[:number]))
    assert (found.answer, found.hint, found.p) == ("no verdict", "higher", None)
    assert found.because == f"{number} pairs: a hint at most, for a verdict takes 5"
    assert found.covered == 1 - 2 / 2**number


def test_one_pair_has_a_ratio_and_nothing_else() -> None:
    found = judged(pairs((100.0,), (200.0,)))
    assert (found.answer, found.hint, found.ratio, found.low, found.covered) == ("no verdict", "", 2.0, None, None)
    assert "1 pair: a hint at most" in found.because


def test_what_is_noise_gets_no_verdict_and_so_does_what_contradicts_itself() -> None:
    found = judged(pairs(arm=(102.0, 102.5, 100.5, 101.5, 103.0)))
    assert found.low is not None
    assert found.low > 1
    assert (found.answer, found.because) == ("no verdict", "trials of the same arm differ by up to 3.0 %")
    found = judged(pairs((100.0,) * 5, (120.0, 99.0, 120.0, 121.0, 122.0)))
    assert found.because == "trials of the same arm differ by up to 21 %"
    found = judged(pairs((100.0,) * 5, (150.0, 150.0, 150.0, 150.0, 99.0)))
    assert (found.answer, found.because) == ("no verdict", "the pairs contradict each other")


def test_figures_that_repeat_give_no_verdict_within_what_they_are_known_to() -> None:
    found = judged(pairs((100.0,) * 5, (100.1,) * 5))
    assert (found.answer, found.because) == ("no verdict", "its figures are known to 0.2 %")
    coarse = [Pair(Value(10, resolution=1), Value(11, resolution=1))] * 5
    assert (judged(coarse).answer, judged(coarse).because) == ("no verdict", "its figures are known to 20 %")
    assert judged(pairs((100.0,) * 5, (101.0,) * 5)).answer == "higher"


@pytest.mark.parametrize(
    ("gap", "others"),
    [
        (Pair(Value(100), None), 5),
        (Pair(None, Value(100)), 7),
        (Pair(None, None), 5),
        (Pair(Value(60, "at_least"), Value(60, "at_least")), 6),
    ],
)
def test_a_metric_without_the_ratio_of_some_pair_is_a_hint_and_never_an_answer(gap: Pair, others: int) -> None:
    """Where an arm times out in its worst pairs, the pairs that are left are those that went well."""
    full = pairs((100.0,) * (others + 1), (120.0,) * (others + 1))
    found = contrasts({"gap": [gap, *full[1:]], "full": full}, PLAIN, "seed")
    told = f"1 of {others + 1} pairs have no ratio, and the others are no fair choice: a hint at most"
    assert (found["gap"].answer, found["gap"].hint, found["gap"].because) == ("no verdict", "higher", told)
    assert (found["gap"].pairs, found["gap"].p) == (others, None)
    assert (found["full"].answer, found["full"].p) == ("higher", 2 / 2 ** (others + 1))


def test_one_error_rate_is_of_the_whole_table_whatever_each_metric_has() -> None:
    """With six pairs 1/20 is asked of every metric, also of one that alone would be judged by five."""
    five = [Pair(Value(100), None), *pairs((100.0,) * 5, (120.0,) * 5)]
    assert error_rate(5) > error_rate(6)
    told = contrasts({"five": five, "six": pairs((100.0,) * 6, (120.0,) * 6)}, PLAIN, "seed")
    assert {name: found.answer for name, found in told.items()} == {"five": "no verdict", "six": "higher"}


def test_a_metric_that_is_sure_alone_is_not_sure_among_many_that_chance_moves() -> None:
    """Holm over the table: what one metric alone would show, some metric of many shows by chance."""
    weak = (104.0, 109.0, 102.0, 103.0, 112.0)
    alone = contrasts({"weak": pairs((100.0,) * 5, weak)}, Terms(), "seed")["weak"]
    assert alone.p == 1 / 16
    turned = {
        f"noise {number}": [pair.swapped if number >> place & 1 else pair for place, pair in enumerate(pairs())]
        for number in range(1, 16)
    }
    found = contrasts({"weak": pairs((100.0,) * 5, weak), **turned}, Terms(), "seed")
    assert found["weak"].answer == "no verdict"
    assert found["weak"].p is not None
    assert found["weak"].p > error_rate(5)
    assert {found[name].answer for name in turned} == {"no verdict"}


@pytest.mark.parametrize(
    ("terms", "told", "hint"),
    [
        (Terms(no_verdict="somebody else was there"), "somebody else was there", ""),
        (Terms(only_hints="interrupted after 5 of 9 pairs"), "interrupted after 5 of 9 pairs", "higher"),
        (Terms(contrasts=2), "5 pairs: a hint at most, for a verdict takes 6", "higher"),
    ],
)
def test_what_forbids_verdicts_forbids_all_of_them(terms: Terms, told: str, hint: str) -> None:
    found = judged(pairs(), terms)
    assert (found.answer, found.because, found.hint) == ("no verdict", told, hint)
    assert found.ratio is not None


def test_several_arms_share_the_error_rate_and_take_more_pairs() -> None:
    assert [Terms(number).fewest for number in (1, 2, 3, 4)] == [5, 6, 7, 7]
    assert [error_rate(5), error_rate(6), error_rate(6, 2), error_rate(7, 3)] == [1 / 16, 0.05, 1 / 16, 0.05]
    found = judged(pairs((*BASE, 101.0), (*ARM, 122.0)), Terms(2))
    assert (found.answer, found.p) == ("higher", 2 / 32)


@pytest.mark.parametrize(
    ("base", "arm", "because"),
    [
        (None, Value(1), "there is no pair of sound trials to take it from"),
        (Value(1), None, "there is no pair of sound trials to take it from"),
        (Value(0), Value(1), "in a trial it was zero"),
        (Value(60, "at_least"), Value(60, "at_least"), "both were cut off"),
    ],
)
def test_what_can_not_be_known_gets_no_verdict(base: Value | None, arm: Value | None, because: str) -> None:
    found = judged([Pair(base, arm)] * 5)
    assert (found.answer, found.because, found.ratio, found.pairs) == ("no verdict", because, None, 0)


@pytest.mark.parametrize(
    ("base", "arm", "cut", "bound", "answer", "open_end"),
    [
        ((60.0,) * 5, (1.0, 1.1, 1.2, 1.0, 1.1), ("at_least", "exact"), "at_most", "lower", "low"),
        ((1.0, 1.1, 1.2, 1.0, 1.1), (60.0,) * 5, ("exact", "at_least"), "at_least", "higher", "high"),
        # At most six times as long says nothing of being longer, at least a sixth nothing of being shorter.
        ((10.0,) * 5, (60.0, 61.0, 62.0, 60.0, 61.0), ("at_least", "exact"), "at_most", "no verdict", "low"),
        ((60.0, 61.0, 62.0, 60.0, 61.0), (10.0,) * 5, ("exact", "at_least"), "at_least", "no verdict", "high"),
    ],
)
def test_a_bound_decides_only_on_its_own_side(
    base: tuple[float, ...], arm: tuple[float, ...], cut: tuple[Bound, Bound], bound: Bound, answer: str, open_end: str
) -> None:
    found = judged(pairs(base, arm, cut))
    assert (found.bound, found.answer) == (bound, answer)
    assert getattr(found, open_end) is None


def test_a_seed_repeats_everything_and_every_number_is_one() -> None:
    many = pairs(BASE * 4, ARM * 4)
    assert judged(many) == judged(many)
    numbers = [value for value in dataclasses.asdict(judged(many)).values() if isinstance(value, float)]
    assert all(math.isfinite(number) for number in numbers)
