"""Files of tests are spread over the workers: what is long begins early, and never all at once."""

from __future__ import annotations

from tests.scheduling import LONG, scope, spread


def test_a_file_goes_to_one_worker_and_so_does_a_folder_with_a_costly_fixture() -> None:
    assert scope("tests/unit/test_scheduling.py::test_a[tests/plans/]") == "tests/unit/test_scheduling.py"
    assert (
        scope("tests/plans/test_golden.py::test_b") == scope("tests/plans/test_all_plans.py::test_c") == "tests/plans/"
    )


def test_long_files_are_spread_over_the_first_two_thirds_and_nothing_is_lost() -> None:
    long = {f"{LONG}test_{number}.py": [f"long {number}"] for number in range(4)}
    short = {f"tests/unit/test_{number}.py": [f"{number}.{each}" for each in range(10)] for number in range(12)}
    placed = spread({**long, **short})
    assert sorted(placed) == sorted(item for found in (*long.values(), *short.values()) for item in found)
    assert [item for item in placed if not item.startswith("long")] == [
        item for found in short.values() for item in found
    ]
    places = [placed.index(f"long {number}") for number in range(4)]
    assert places == [0, 21, 42, 63]


def test_long_files_alone_are_all_there() -> None:
    assert spread({f"{LONG}test_a.py": [1, 2], f"{LONG}test_b.py": [3]}) == [1, 2, 3]
