"""Comparing bundles that exist: what is refused, what is told, and what the report shows."""

from __future__ import annotations

import json
import shutil
from argparse import Namespace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.compare.command import COMPARISON, compare, render
from bench.ends.errors import SetupError
from metrics.records.record import write_json
from metrics.records.result import Correctness, Throughput, Verdict
from metrics.records.sections.convergence import Convergence
from metrics.records.sections.resources import Neighbours
from tests.unit.bench import bundles

SERIAL = {"SERIAL_PROJECTION": "true"}
GIVEN = {"arm": None, "revision": None, "projectors": None}


def run(tmp_path: Path, folders: list[Path], *, anyway: bool = False) -> tuple[int, str, dict[str, Any], str]:
    """Exit code, what was printed, comparison.json and report.html."""
    console = Console(file=StringIO(), width=100)
    code = compare(Namespace(**GIVEN, bundles=folders, anyway=anyway, results=tmp_path), console)
    (folder,) = tmp_path.glob("*-compare-*")
    document = json.loads((folder / COMPARISON).read_text())
    page = (folder / "report.html").read_text()
    assert page == render(folder)
    file = console.file
    assert isinstance(file, StringIO)
    return code, file.getvalue(), document, page


def pairs(tmp_path: Path, times: list[float], *, verdict: Verdict = "converged") -> list[Path]:
    """Serial and parallel by turns; parallel always converges in 0.25 s."""
    folders = []
    for number, time_s in enumerate(times):
        slow = {"convergence": Convergence(time_s, 10.0, 100)}
        folders.append(bundles.write(tmp_path, f"s{number}", verdict=verdict, changed=slow, variables=SERIAL))
        folders.append(bundles.write(tmp_path, f"p{number}"))
    return folders


def metric(document: dict[str, Any], name: str) -> dict[str, Any]:
    return dict(next(m for m in document["metrics"] if m["name"] == name))


def test_a_real_difference_is_told_in_words_and_the_rest_gets_no_verdict(tmp_path: Path) -> None:
    code, said, document, page = run(tmp_path, pairs(tmp_path, [5, 5.1, 4.9, 5, 5.2]))
    assert code == 0
    assert document["arms"] == ["serial", "parallel"]
    assert document["differs"] == {"strategy": ["global-order", "stream-leases"]}
    (found,) = metric(document, "convergence_s")["contrasts"]
    assert (found["answer"], found["ratio"]) == ("lower", pytest.approx(0.05))
    (found,) = metric(document, "actions_per_s")["contrasts"]
    assert (found["answer"], found["ratio"]) == ("no verdict", 1)
    sentence = (
        "Convergence time: parallel 250 ms, serial 5.0 s: 20 times as fast with parallel (93.75 % interval: 20 to 21)"
    )
    assert sentence in said
    assert sentence in page
    assert "Actions: parallel 432/s, serial 432/s: no verdict" in said


def test_a_trial_that_timed_out_is_a_lower_bound_and_no_success(tmp_path: Path) -> None:
    code, said, document, page = run(tmp_path, pairs(tmp_path, [60] * 5, verdict="timed_out"))
    assert code == 1
    assert not document["sound"]
    sentence = "Convergence time: parallel 250 ms, serial at least 60.0 s: at least 240 times as fast with parallel."
    assert sentence in said
    assert sentence in page
    (found,) = metric(document, "convergence_s")["contrasts"]
    assert (found["bound"], found["low"]) == ("at_most", None)
    # No other number of such a run is a result.
    assert metric(document, "actions_per_s")["arms"][0]["median"] is None
    assert "no verdict; there is no pair of sound trials to take it from" in said


def test_pairs_that_survived_are_no_verdict_where_an_arm_timed_out_in_its_worst(tmp_path: Path) -> None:
    folders: list[Path] = []
    for number in range(8):
        folders.append(bundles.write(tmp_path, f"s{number}", variables=SERIAL))
        lost = number >= 5
        faster = {"throughput": Throughput(4321, 600.0 + number, 9876, 987.6, 0, 0)}
        late: Any = {"convergence": Convergence(60, 10.0, 100)}
        folders.append(
            bundles.write(
                tmp_path, f"p{number}", verdict="timed_out" if lost else "converged", changed=late if lost else faster
            )
        )
    _, said, document, _ = run(tmp_path, folders)
    (found,) = metric(document, "actions_per_s")["contrasts"]
    assert (found["answer"], found["hint"], found["pairs"]) == ("no verdict", "higher", 5)
    assert found["because"].startswith("3 of 8 pairs have no ratio")
    assert {m["name"]: len(c["ratios"]) for m in document["metrics"] for c in m["contrasts"]}["convergence_s"] == 8
    assert "what is left of those is a hint at most" in said


def test_a_figure_is_known_to_no_better_than_its_run_says(tmp_path: Path) -> None:
    """A release that is known to 40 ms says nothing of 250 against 290 ms, however often both repeat."""
    folders = []
    for number in range(5):
        for name, time_s in (("a", 0.25), ("b", 0.29)):
            slow = {"convergence": Convergence(time_s, 1000 / time_s, 1000, resolution_s=0.04)}
            folders.append(bundles.write(tmp_path, f"{name}{number}", changed=slow))
    document = run(tmp_path, folders)[2]
    for name in ("convergence_s", "convergence_speed"):
        (found,) = metric(document, name)["contrasts"]
        assert (found["answer"], found["because"]) == ("no verdict", "its figures are known to 32 %")


def test_where_neighbours_are_not_told_a_note_says_so(tmp_path: Path) -> None:
    folders = pairs(tmp_path, [5, 5.1, 4.9, 5, 5.2])
    known, unknown = Neighbours(cpu_share=0.0), Neighbours(reason="the system runs elsewhere")
    for number, folder in enumerate(folders):
        result = json.loads((folder / "result.json").read_text())
        told = (unknown if number < 3 else known).to_dict()
        write_json(folder / "result.json", {**result, "neighbours": told})
    _, said, document, _ = run(tmp_path, folders)
    (note,) = [note for note in document["notes"] if "other processes" in note]
    assert note == (
        "of 3 trial(s) it is not told what other processes took of the machine (the system runs elsewhere): "
        "whether they made a difference is not known"
    )
    assert "of 3 trial(s) it is not told" in said


def test_where_neighbours_are_told_no_note_says_that_they_are_not(tmp_path: Path) -> None:
    told = {"neighbours": Neighbours(cpu_share=0.01)}
    folders = [bundles.write(tmp_path, name, changed=told) for name in ("a", "b")]
    assert not [note for note in run(tmp_path, folders)[2]["notes"] if "other processes" in note]


def test_a_speed_over_a_few_events_is_said_to_say_little(tmp_path: Path) -> None:
    kept_up = {"convergence": Convergence(0.01, 300.0, 3)}
    folders = [bundles.write(tmp_path, "a"), bundles.write(tmp_path, "b", changed=kept_up)]
    assert "its convergence speed says little" in run(tmp_path, folders)[1]


def test_one_bundle_against_another_shows_the_ratio_and_no_verdict(tmp_path: Path) -> None:
    code, said, document, _ = run(tmp_path, pairs(tmp_path, [5.0]))
    assert code == 0
    assert {c["answer"] for m in document["metrics"] for c in m["contrasts"]} == {"no verdict"}
    assert "1 pair: a hint at most, for a verdict takes 5" in said


def test_three_pairs_are_a_hint_whatever_they_show(tmp_path: Path) -> None:
    _, said, document, page = run(tmp_path, pairs(tmp_path, [5, 5.1, 4.9]))
    assert {c["answer"] for m in document["metrics"] for c in m["contrasts"]} == {"no verdict"}
    (found,) = metric(document, "convergence_s")["contrasts"]
    assert (found["hint"], found["covered"], document["pairs"]["needed"]) == ("lower", 0.75, 5)
    assert "3 pairs: a hint at most, for a verdict takes 5: 20 times as fast with parallel (75 % interval" in said
    assert '<span class="mark open">hint</span>' in page


def test_a_trial_beside_a_busy_neighbour_leaves_no_verdict_and_says_so(tmp_path: Path) -> None:
    folders = pairs(tmp_path, [5, 5.1, 4.9, 5, 5.2])
    doubt = "other processes took 41% of the usable cores (planted 41%) in the load phase"
    for folder in folders[6:8]:
        result = json.loads((folder / "result.json").read_text())
        write_json(folder / "result.json", {**result, "doubts": [doubt]})
    _, said, document, page = run(tmp_path, folders)
    assert document["no_verdict"] == f"s3: {doubt} (and 1 more)"
    assert document["doubts"] == [f"s3: {doubt}", f"p3: {doubt}"]
    assert [trial["doubts"] for trial in document["trials"]] == [[]] * 6 + [[doubt]] * 2 + [[]] * 2
    assert {(c["answer"], c["hint"]) for m in document["metrics"] for c in m["contrasts"]} == {("no verdict", "")}
    assert f"note: p3: {doubt}" in said
    # The headline has it.
    assert said.count(f"s3: {doubt}") == page.count(f"s3: {doubt}") == 1
    assert f"<small>{doubt}</small>" in page


def test_a_warning_of_one_arm_alone_leaves_no_verdict_and_says_so(tmp_path: Path) -> None:
    folders = pairs(tmp_path, [5, 5.1, 4.9, 5, 5.2])
    result = json.loads((folders[3] / "result.json").read_text())
    result["warnings"] = ["round trip: 20.00 ms (every write and every batch pays it: run nearer to the server)"]
    write_json(folders[3] / "result.json", result)
    _, said, document, page = run(tmp_path, folders)
    doubt = "the doctor warned of round trip in some arms and not in others"
    assert (document["no_verdict"], document["doubts"]) == (doubt, [doubt])
    found = [c for m in document["metrics"] for c in m["contrasts"]]
    assert {(c["answer"], c["hint"]) for c in found} == {("no verdict", "")}
    assert f"every one proved right; no verdict: {doubt}" in said
    assert "no verdict; a difference of 20 times, but its trials are in doubt" in said
    assert doubt in page


def test_the_same_warning_on_both_sides_is_no_doubt(tmp_path: Path) -> None:
    folders = pairs(tmp_path, [5, 5.1, 4.9, 5, 5.2])
    for number, folder in enumerate(folders):
        result = json.loads((folder / "result.json").read_text())
        result["warnings"] = [f"round trip: {20 + number}.00 ms"]
        write_json(folder / "result.json", result)
    _, _, document, _ = run(tmp_path, folders)
    assert (document["no_verdict"], document["doubts"]) == ("", [])
    (found,) = metric(document, "convergence_s")["contrasts"]
    assert found["answer"] == "lower"


def test_sides_are_named_by_the_one_thing_that_differs(tmp_path: Path) -> None:
    folders = [
        bundles.write(tmp_path, "a", variables={"PROJECTORS": "1"}),
        bundles.write(tmp_path, "b", variables={"PROJECTORS": "4"}),
    ]
    assert run(tmp_path, folders)[2]["arms"] == ["PROJECTORS=1", "PROJECTORS=4"]


@pytest.mark.parametrize("strategy", ["stream-locks", "somebody.elses"])
def test_a_strategy_is_what_differs_and_names_its_side(strategy: str, tmp_path: Path) -> None:
    folders = [bundles.write(tmp_path, "a"), bundles.write(tmp_path, "b", changed={"strategy": strategy})]
    _, said, document, _ = run(tmp_path, folders)
    assert document["arms"] == ["stream-leases", strategy]
    assert document["differs"] == {"strategy": ["stream-leases", strategy]}
    assert strategy in said


def test_sides_of_two_targets_are_named_by_them_whatever_else_differs(tmp_path: Path) -> None:
    folders = [bundles.write(tmp_path, "a", variables={"TARGET": "crud"}), bundles.write(tmp_path, "b")]
    _, _, document, _ = run(tmp_path, folders)
    assert document["arms"] == ["crud", "tidemark"]
    assert len(document["differs"]) > 1


def test_a_target_that_no_doctor_has_looked_at_is_no_doubt_of_one_that_was_warned_of(tmp_path: Path) -> None:
    warned = {"warnings": ["slow disk: 20 ms a commit"]}
    folders = []
    for number in range(2):
        folders.append(bundles.write(tmp_path, f"a{number}", variables={"TARGET": "crud"}))
        folders.append(bundles.write(tmp_path, f"b{number}", changed=warned))
        (folders[-1] / "doctor.json").write_text("{}", encoding="utf-8")
    _, _, document, _ = run(tmp_path, folders)
    assert document["doubts"] == []


def test_a_target_on_no_postgres_is_compared_by_what_its_manifest_says_of_its_durability(tmp_path: Path) -> None:
    folders = [bundles.write(tmp_path, "a", variables={"TARGET": "empty"}, changed={"proof": "read-back"})]
    (folders[0] / "postgres.json").unlink()
    folders.append(bundles.write(tmp_path, "b"))
    assert run(tmp_path, folders)[2]["arms"] == ["empty", "tidemark"]


def test_bundles_of_one_side_are_of_one_strategy(tmp_path: Path) -> None:
    folders = [bundles.write(tmp_path, name) for name in ("a1", "b1")]
    folders += [bundles.write(tmp_path, "a2", changed={"strategy": "somebody.elses"}), bundles.write(tmp_path, "b2")]
    with pytest.raises(SetupError, match="a1 and a2 are on one side and differ in strategy"):
        run(tmp_path, folders)


def test_a_result_of_an_older_schema_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folders = [bundles.write(tmp_path, name) for name in ("a", "b")]
    file = folders[0] / "result.json"
    before = json.loads(file.read_text(encoding="utf-8"))
    write_json(file, {**before, "schema": 1})
    with pytest.raises(SetupError) as refusal:
        run(tmp_path, folders, anyway=True)
    assert str(refusal.value) == (
        f"{file}: $.schema: 1 is not the one that this version reads, 2; "
        "read it with the version of the project that wrote it, or measure again"
    )


def test_two_methods_are_never_compared_whatever_is_said(tmp_path: Path) -> None:
    folders = [bundles.write(tmp_path, "a"), bundles.write(tmp_path, "b", changed={"method": "1"})]
    with pytest.raises(SetupError, match="b was measured by method 1, and a by method 2"):
        run(tmp_path, folders, anyway=True)


def test_a_run_that_is_named_twice_is_no_second_pair_whatever_is_said(tmp_path: Path) -> None:
    a, b = pairs(tmp_path, [5])
    with pytest.raises(SetupError, match=f"s0: is named twice .*{a}.*; name each run once"):
        run(tmp_path, [a, b] * 5, anyway=True)
    with pytest.raises(SetupError, match="s0: is named twice"):
        run(tmp_path, [a, a], anyway=True)


def test_a_link_or_a_copy_of_a_run_is_that_run(tmp_path: Path) -> None:
    a, b = pairs(tmp_path, [5])
    (tmp_path / "latest").symlink_to(a.name)
    with pytest.raises(SetupError, match=r"s0: is named twice .*latest"):
        run(tmp_path, [a, b, tmp_path / "latest", b], anyway=True)
    shutil.copytree(b, tmp_path / "copy")
    with pytest.raises(SetupError, match=r"p0: is named twice .*copy"):
        run(tmp_path, [b, tmp_path / "copy"], anyway=True)


def test_the_last_comparison_is_what_latest_points_at(tmp_path: Path) -> None:
    run(tmp_path, pairs(tmp_path, [5]))
    (folder,) = tmp_path.glob("*-compare-*")
    assert (tmp_path / "latest").resolve() == folder


def test_the_same_against_the_same_is_a_against_b(tmp_path: Path) -> None:
    folders = [bundles.write(tmp_path, "a"), bundles.write(tmp_path, "b")]
    _, _, document, page = run(tmp_path, folders)
    assert (document["arms"], document["differs"]) == (["A", "B"], {})
    assert "the same against the same" in page


@pytest.mark.parametrize("verdict", ["diverged", "blocked", "invalid"])
def test_a_void_run_is_refused_whatever_is_said(verdict: Verdict, tmp_path: Path) -> None:
    folders = [bundles.write(tmp_path, "a"), bundles.write(tmp_path, "b", verdict=verdict)]
    with pytest.raises(SetupError, match=f"b: it is {verdict} and has no results to compare"):
        run(tmp_path, folders, anyway=True)


def test_a_run_with_a_fault_is_refused_whatever_its_verdict_says(tmp_path: Path) -> None:
    faulty = {"correctness": Correctness(events_checked=10, lost=1)}
    folders = [bundles.write(tmp_path, "a"), bundles.write(tmp_path, "b", changed=faulty)]
    with pytest.raises(SetupError, match="no results to compare"):
        run(tmp_path, folders, anyway=True)


@pytest.mark.parametrize(
    "postgres",
    [{"profile": "test"}, {"postgres": {"fsync": "off", "synchronous_commit": "on"}}, {"postgres": {"fsync": "on"}}],
)
def test_a_run_without_durability_is_refused(postgres: dict[str, Any], tmp_path: Path) -> None:
    folders = [bundles.write(tmp_path, "a"), bundles.write(tmp_path, "b", **postgres)]
    with pytest.raises(SetupError, match="b: it was measured without durability"):
        run(tmp_path, folders, anyway=True)


def test_unlike_machines_are_refused_by_what_differs_unless_told_so(tmp_path: Path) -> None:
    other = {**bundles.MACHINE, "cores": 64}
    folders = [bundles.write(tmp_path, "a"), bundles.write(tmp_path, "b", machine=other)]
    with pytest.raises(SetupError, match=r"a and b ran on unlike machines \(cores differ\)"):
        run(tmp_path, folders)
    _, said, document, page = run(tmp_path, folders, anyway=True)
    (doubt,) = document["doubts"]
    assert "unlike machines" in doubt
    assert doubt in said
    assert doubt in page


def test_bundles_of_one_side_must_be_alike(tmp_path: Path) -> None:
    folders = [bundles.write(tmp_path, "a1"), bundles.write(tmp_path, "b1", variables=SERIAL)]
    folders += [bundles.write(tmp_path, "a2", variables={"VUS": "7"}), bundles.write(tmp_path, "b2", variables=SERIAL)]
    with pytest.raises(SetupError, match="a1 and a2 are on one side and differ in VUS"):
        run(tmp_path, folders)


def test_bundles_come_in_pairs(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="1 bundles are no pairs"):
        run(tmp_path, [bundles.write(tmp_path, "a")])


def test_a_folder_without_a_result_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no usable result bundle"):
        run(tmp_path, [tmp_path, tmp_path])


def test_nothing_that_a_bundle_says_becomes_markup(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    folders = [bundles.write(tmp_path, "a", machine={**bundles.MACHINE, "cpu_model": evil}) for _ in range(1)]
    folders.append(bundles.write(tmp_path, "b", machine={**bundles.MACHINE, "cpu_model": evil}))
    _, _, _, page = run(tmp_path, folders)
    assert "alert(1)" in page
    assert evil not in page
