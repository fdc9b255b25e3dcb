"""Bundles: what is merged into a result, who judges, and the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.bundle.folder import Bundle, new_id
from bench.bundle.samples import Samples
from bench.oracle.verdict import judge
from bench.preflight.settings import Settings
from bench.trial.result import merge, void
from metrics.records.result import Correctness, Percentiles, Verdict, read_result
from metrics.records.verification import Verification
from tests.unit.bench import bundles

SOUND = Correctness(events_checked=10, acknowledged_checked=9)


def verification(correctness: Correctness, offenders: list[str] | None = None) -> Verification:
    return Verification(correctness, 0, Percentiles(), 0, offenders or [])


def loadgen(**changed: Any) -> dict[str, Any]:
    """`loadgen.json` as the load generator leaves it."""
    told = bundles.result().to_dict() | {"correctness": Correctness(acknowledged_checked=9).to_dict()}
    return told | {"strategies": ["stream-leases"]} | changed


@pytest.mark.parametrize(
    ("verdict", "correctness", "expected", "why"),
    [
        ("converged", SOUND, "converged", ""),
        ("timed_out", SOUND, "timed_out", "said"),
        ("blocked", SOUND, "blocked", "said"),
        ("invalid", SOUND, "invalid", "said"),
        ("converged", Correctness(events_checked=10, lost=2), "diverged", "2 fault(s): first"),
        ("converged", Correctness(events_checked=10, duplicated=1), "diverged", "1 fault(s): first"),
        ("converged", Correctness(events_checked=10, reordered=1), "diverged", "1 fault(s): first"),
        ("converged", Correctness(events_checked=10, phantom=1), "diverged", "1 fault(s): first"),
        ("converged", Correctness(events_checked=10, mismatched_rows=1), "diverged", "1 fault(s): first"),
        ("converged", Correctness(events_checked=10, acknowledged_missing=3), "diverged", "3 fault(s): first"),
        (
            "timed_out",
            Correctness(events_checked=10, lost=1),
            "diverged",
            "1 fault(s): first; the load generator said: said",
        ),
        (
            "invalid",
            Correctness(events_checked=10, lost=1),
            "diverged",
            "1 fault(s): first; the load generator said: said",
        ),
        ("converged", Correctness(), "invalid", "the store holds no event, so nothing was proved"),
    ],
)
def test_an_oracle_outranks_the_load_generator(
    verdict: Verdict, correctness: Correctness, expected: Verdict, why: str
) -> None:
    assert judge(verdict, "" if verdict == "converged" else "said", correctness, ["first"]) == (expected, why)


def test_missing_writes_are_named_when_the_refold_found_nothing() -> None:
    found = judge("diverged", "", Correctness(events_checked=1, acknowledged_missing=3), [])
    assert found == ("diverged", "3 fault(s): 3 acknowledged writes are missing")


def test_a_result_takes_the_store_s_faults_from_one_oracle_and_the_missing_writes_from_the_other() -> None:
    # What the load generator says of the store is not believed: it can not see it.
    told = Correctness(acknowledged_checked=9, acknowledged_missing=1, events_checked=99, lost=99).to_dict()
    refolded = verification(Correctness(events_checked=10, lost=2, acknowledged_missing=77), ["lost: one"])
    found = merge("id", Settings.from_env({}), loadgen(correctness=told), refolded, trial=4)
    assert found.correctness == Correctness(events_checked=10, lost=2, acknowledged_checked=9, acknowledged_missing=1)
    assert (found.verdict, found.why) == ("diverged", "3 fault(s): lost: one")
    assert (found.run_id, found.trial) == ("id", 4)


def test_a_result_takes_its_numbers_from_the_load_generator() -> None:
    found = merge("id", Settings.from_env({}), loadgen(), verification(SOUND), trial=1)
    expected = bundles.result()
    for name in ("throughput", "latency_ms", "visibility_ms", "backlog", "convergence", "generator"):
        assert getattr(found, name) == getattr(expected, name)
    assert found.sound


@pytest.mark.parametrize(
    ("strategies", "words"),
    [(["stream-locks"], "stream-locks"), (["global-order", "stream-leases"], "global-order and stream-leases")],
)
def test_a_run_whose_projectors_say_another_strategy_is_no_result_of_the_one_asked_for(
    strategies: list[str], words: str
) -> None:
    told = f"the projectors said that they work by {words}, this run is one of stream-leases"
    found = merge("id", Settings.from_env({}), loadgen(strategies=strategies), verification(SOUND), trial=1)
    assert (found.strategy, found.verdict, found.why, found.sound) == ("stream-leases", "invalid", told, False)

    lost = verification(Correctness(events_checked=10, lost=1), ["first"])
    found = merge("id", Settings.from_env({}), loadgen(strategies=strategies), lost, trial=1)
    assert (found.verdict, found.why) == ("diverged", f"{told}; 1 fault(s): first")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"handlers": ["each"]}, "the projectors said that they run HANDLER=each, this run is one of set"),
        (
            {"handlers": ["each", "set"], "read_models": ["todos,activity"]},
            "the projectors said that they run HANDLER=each and set, this run is one of set; "
            "the projectors said that they keep READ_MODELS=todos,activity, this run is one of todos",
        ),
    ],
)
def test_a_run_whose_projectors_say_another_handler_is_no_result_of_the_one_asked_for(
    said: dict[str, list[str]], words: str
) -> None:
    found = merge("id", Settings.from_env({}), loadgen(**said), verification(SOUND), trial=1)
    assert (found.verdict, found.why) == ("invalid", words)
    silent = merge("id", Settings.from_env({}), loadgen(handlers=[], read_models=[]), verification(SOUND), trial=1)
    assert silent.sound


def test_a_void_result_is_no_success_and_has_no_numbers() -> None:
    found = void("id", Settings.from_env({"DATABASE_URL": "postgresql://me:secret@db/x"}), "why", trial=1)
    assert not found.sound
    assert (found.verdict, found.why, found.throughput.actions) == ("invalid", "why", 0)
    assert "secret" not in str(found.to_dict())


def test_names_sort_by_time_and_are_never_given_twice() -> None:
    names = [new_id("throughput", "serial") for _ in range(20)]
    assert len(set(names)) == 20
    assert all(name.split("-", 2)[2].startswith("throughput-serial-") for name in names)


def test_latest_points_at_the_last_bundle(tmp_path: Path) -> None:
    for _ in range(2):
        bundle = Bundle.create(tmp_path, "throughput", "serial")
        bundle.close()
        assert (tmp_path / "latest").resolve() == bundle.folder


def test_where_links_can_not_be_made_a_file_names_the_last_bundle(tmp_path: Path) -> None:
    bundle = Bundle.create(tmp_path, "throughput", "serial")
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "something").touch()
    bundle.close()
    assert (tmp_path / "latest.txt").read_text() == bundle.run_id + "\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([bundle.run_id, "latest", "latest.txt"])


def test_documents_come_back_and_a_missing_one_is_none(tmp_path: Path) -> None:
    bundle = Bundle.create(tmp_path, "throughput", "serial")
    bundle.write("x.json", {"a": [1]})
    assert bundle.read("x.json") == {"a": [1]}
    assert bundle.read("y.json") is None


def test_samples_are_followed_by_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    samples = Samples(path)
    assert samples.new() == []
    with path.open("a") as stream:
        stream.write('{"t": 1}\n{"t"')
        stream.flush()
        assert samples.new() == [{"t": 1}]
        stream.write(": 2}\n")
        stream.flush()
        assert samples.new() == [{"t": 2}]
    assert samples.new() == []


def test_a_result_written_is_a_result_read(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path)
    assert read_result(folder / "result.json") == bundles.result()
