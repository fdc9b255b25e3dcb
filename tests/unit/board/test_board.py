"""The board: correctness first, classes apart, and nothing that a stranger sends becomes markup or breaks it."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.__main__ import main
from bench.answers.board.gather import LARGEST, gather
from bench.answers.board.page import render
from bench.answers.board.rows import plain, tables
from metrics.reading import BadDocument, convert
from metrics.records.answers.published import Published
from metrics.records.record import write_json
from metrics.records.result import Correctness, Throughput
from settings.strategies import NOT_TOLD
from tests.unit.bench import bundles
from tests.unit.bench.test_report import EVIL
from tests.unit.bench.test_report import text as seen
from tests.unit.board import halves
from tests.unit.report.bundle import RESOURCES
from tests.unit.report.test_accessible import Tree


def run_id(number: int) -> str:
    return f"20261126-0102{number:02}-throughput-parallel-aaaa"


def faster(name: str, number: int, actions_per_s: float, **changed: Any) -> Published:
    figures = Throughput(actions=1000, actions_per_s=actions_per_s, reads=1000, reads_per_s=100.0)
    return halves.half(name, run_id(number), throughput=figures, **changed)


def page(*runs: Published) -> str:
    return render(tables(runs), [], "board-1")


def test_rows_are_ranked_within_their_class_and_the_verdict_is_the_first_column() -> None:
    made = tables([faster("slow", 1, 10.0), faster("fast", 2, 99.0), faster("tuned-one", 3, 999.0, kind="tuned")])
    assert [(table["kind"], [row["target"] for row in table["rows"]]) for table in made] == [
        ("documented", ["fast", "slow"]),
        ("tuned", ["tuned-one"]),
    ]
    heads = [text for _, text in Tree(page(faster("fast", 2, 99.0))).of("th")]
    assert heads[:3] == ["verdict", "target", "proof"]


def test_a_wrong_row_says_what_is_wrong_and_has_no_number() -> None:
    lost = halves.half(
        "lossy",
        run_id(1),
        verdict="diverged",
        why="todo-7 was lost",
        correctness=Correctness(events_checked=5555, lost=3),
    )
    told = seen(page(lost))
    assert "todo-7 was lost" in told
    assert "lost 3" in told
    assert [number for number in ("432", "7.70", "12.5", "4,000") if number in told] == []
    assert "1 correct, 1 wrong, of 2 targets." in seen(page(lost, faster("fast", 2, 99.0)))


def test_one_wrong_run_takes_the_numbers_of_all_runs_of_its_row() -> None:
    right, wrong = faster("some", 1, 99.0), halves.wrong("some", run_id(2), "todo-7 is doubled")
    (table,) = tables([right, wrong, faster("some", 3, 98.0)])
    (row,) = table["rows"]
    assert (row["state"], row["runs"]) == ("wrong", "1 of 3 runs")
    assert set(row["values"].values()) == {None}
    assert "todo-7 is doubled" in row["wrong"]


def test_a_fault_that_an_oracle_counted_is_wrong_though_the_load_generator_saw_none() -> None:
    (table,) = tables([halves.half("some", run_id(1), correctness=Correctness(events_checked=5, mismatched_rows=2))])
    assert table["rows"][0]["state"] == "wrong"
    assert "mismatched rows 2" in table["rows"][0]["wrong"]


def test_a_run_that_was_not_judged_takes_nothing_from_those_that_were() -> None:
    broken = halves.wrong("some", run_id(2), "interrupted", verdict="invalid")
    (table,) = tables([faster("some", 1, 99.0), broken])
    (row,) = table["rows"]
    assert (row["state"], row["values"]["actions_per_s"], row["runs"]) == ("correct", 99.0, "1 not judged")
    (table,) = tables([broken])
    assert (table["rows"][0]["state"], table["rows"][0]["wrong"]) == ("not judged", "interrupted")


def test_the_test_profile_gives_no_numbers() -> None:
    quick = replace(faster("some", 1, 99.0), postgres={"version": "18", "source": "x", "profile": "test"})
    (table,) = tables([quick])
    assert table["rows"][0]["state"] == "not judged"
    assert "test profile" in table["rows"][0]["wrong"]


def test_numbers_are_medians_of_runs_without_a_doubt_where_there_are_some() -> None:
    doubtful = faster("some", 4, 5.0, doubts=["a neighbour took 30 %"])
    (table,) = tables([faster("some", 1, 90.0), faster("some", 2, 100.0), faster("some", 3, 95.0), doubtful])
    (row,) = table["rows"]
    assert (row["values"]["actions_per_s"], row["doubt"], row["runs"]) == (95.0, "", "4 of 4 runs")
    (table,) = tables([doubtful])
    assert table["rows"][0]["doubt"] == "a neighbour took 30 %"
    assert "in doubt: a neighbour took 30 %" in seen(page(doubtful))


@pytest.mark.parametrize("change", ["scenario", "load", "machine", "method"])
def test_what_was_not_measured_alike_is_not_ranked_side_by_side(change: str) -> None:
    one, other = faster("one", 1, 10.0), faster("other", 2, 99.0)
    if change == "machine":
        other = replace(other, machine={**other.machine, "cores": 64.0})
    elif change == "load":
        other = replace(other, result=replace(other.result, settings={**other.result.settings, "VUS": 999}))
    else:
        changed: dict[str, Any] = {change: "another"}
        other = replace(other, result=replace(other.result, **changed))
    assert len(tables([one, other])) == 2
    assert len(tables([one, faster("other", 2, 99.0)])) == 1


def test_another_stack_is_ranked_beside_ours_though_it_has_not_all_of_its_settings() -> None:
    ours, other = faster("tidemark", 1, 10.0), faster("crud", 2, 99.0, strategy=NOT_TOLD)
    assert ours.result.settings["API_PROCESSES"] == 1
    few = {**other.result.settings, "PROJECTORS": 0}
    del few["API_PROCESSES"]
    (table,) = tables([ours, replace(other, result=replace(other.result, settings=few))])
    assert [(row["target"], row["how"]) for row in table["rows"]] == [
        ("crud", "parallel"),
        ("tidemark", "parallel, stream-leases"),
    ]
    many = replace(ours, result=replace(ours.result, settings={**ours.result.settings, "API_PROCESSES": 2}))
    (table,) = tables([ours, many])
    assert sorted(row["how"] for row in table["rows"]) == [
        "parallel, stream-leases",
        "parallel, stream-leases, 2 API processes",
    ]


def test_a_board_on_which_all_is_in_doubt_is_not_green() -> None:
    assert 'class="verdict open"' in page(faster("some", 1, 9.0, doubts=["a neighbour"]))
    assert 'class="verdict good"' in page(faster("some", 1, 9.0))
    broken = halves.wrong("some", run_id(1), "interrupted", verdict="invalid")
    assert 'class="verdict open"' in page(broken)
    assert 'class="verdict bad"' in page(halves.wrong("some", run_id(1), "lost"))


def test_a_reference_is_ranked_among_no_class() -> None:
    one = faster("empty", 1, 9999.0)
    target: Any = {**one.result.target, "reference": True}
    made = tables([faster("crud", 2, 10.0), replace(one, result=replace(one.result, target=target))])
    assert [(table["kind"], [row["target"] for row in table["rows"]]) for table in made] == [
        ("documented", ["crud"]),
        ("reference", ["empty"]),
    ]
    assert "Nothing is kept" in seen(render(made, [], "board-1"))


def test_a_catch_up_that_was_only_seen_is_a_lower_bound() -> None:
    one = faster("crud", 1, 9.0)
    only = replace(one, result=replace(one.result, convergence=replace(one.result.convergence, until="seen")))
    for half, sign in ((one, ""), (only, "≥ ")):
        cells = {cell["name"]: cell for cell in tables([half])[0]["rows"][0]["cells"]}
        assert cells["convergence_speed"]["text"] == f"{sign}4,000"
        assert cells["convergence_speed"]["value"] == 4000.0


def test_wal_is_by_acknowledged_action_and_not_by_event() -> None:
    used = replace(RESOURCES, wal_bytes_per_event=77.0, wal_bytes_per_action=312.0)
    cells = {cell["name"]: cell for cell in tables([faster("some", 1, 9.0, resources=used)])[0]["rows"][0]["cells"]}
    assert cells["wal_bytes_per_action"]["text"] == "312"


def test_what_is_not_told_is_said_and_is_no_0() -> None:
    row = tables([faster("some", 1, 9.0)])[0]["rows"][0]
    assert {cell["name"]: cell["text"] for cell in row["cells"]}["system_cpu_us_per_action"] == "not told"
    assert row["takeover"]["text"] == "not told"


def test_a_takeover_and_one_that_lost_something() -> None:
    right = replace(faster("some", 1, 9.0), drills=[halves.drill()])
    assert tables([right])[0]["rows"][0]["takeover"] == {
        "value": 1.25,
        "text": "1.2 s",
        "small": "5 of 5 hit",
        "fault": False,
    }
    lost = replace(faster("some", 1, 9.0), drills=[halves.drill(lost=3, verdict="failed")])
    told = tables([lost])[0]["rows"][0]["takeover"]
    assert (told["text"], told["fault"], told["small"]) == ("wrong", True, "lost 3; 5 of 5 hit")
    assert "not after kill -9" in seen(page(lost))
    assert "not after kill -9" not in seen(page(right))


def test_where_nobody_took_over_that_is_said() -> None:
    alone = halves.drill(takeover_s={"p50": None, "max": None}, no_takeover_s={"p50": 9.0, "max": 12.0})
    told = tables([replace(faster("some", 1, 9.0), drills=[alone])])[0]["rows"][0]["takeover"]
    assert (told["text"], told["small"], told["fault"]) == ("none", "within 12 s; 5 of 5 hit", False)


def test_a_hostile_result_injects_nothing() -> None:
    evil = halves.half(EVIL, run_id(1), scenario=EVIL, note=EVIL, strategy=EVIL, platform=EVIL, doubts=[EVIL])
    evil = replace(
        evil, machine={**evil.machine, "cpu_model": EVIL, "os": '" onload="x'}, drills=[halves.drill(strategy=EVIL)]
    )
    wrong = halves.wrong(f'" onclick="{EVIL}', run_id(2), f"\u202e{EVIL}\x00\x1b[31m")
    made = render(tables([evil, wrong]), [(EVIL, EVIL)], EVIL)
    tree = Tree(made)
    assert "<script>alert" not in made
    assert "<img" not in made
    assert [attributes for attributes, _ in tree.of("script")] == [{}]
    for _, attributes, _ in tree.found:
        assert not [name for name in attributes if name.startswith("on")]
    assert "\u202e" not in made
    assert "\x00" not in made


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.just(EVIL),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text() | st.just(EVIL), inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield (*at, name)
        yield from places(part, (*at, name))


WHOLE = replace(faster("some", 1, 9.0, resources=RESOURCES), drills=[halves.drill()]).to_dict()


def put(document: Any, place: tuple[Any, ...], value: Any) -> None:
    """Change one place, if it is still there."""
    with suppress(KeyError, IndexError, TypeError):
        for name in place[:-1]:
            document = document[name]
        document[place[-1]] = value


def is_text_or_refused(document: Any) -> bool:
    """Whether it was taken; nothing of it has become markup then."""
    try:
        made = page(convert(document, Published, Path("stranger.json")))
    except BadDocument:
        return False
    assert "<script>alert" not in made
    assert "<img" not in made
    return True


def test_markup_in_any_text_of_a_result_is_text() -> None:
    taken = 0
    for place in places(WHOLE):
        document = copy.deepcopy(WHOLE)
        put(document, place, EVIL)
        taken += is_text_or_refused(document)
    assert taken > 15


@given(st.lists(st.tuples(st.sampled_from(list(places(WHOLE))), JSON), min_size=1, max_size=3))
@hypothesis.settings(max_examples=300, deadline=None)
def test_whatever_stands_at_whatever_place_is_shown_as_text_or_refused(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    document = copy.deepcopy(WHOLE)
    for place, value in changes:
        put(document, place, value)
    is_text_or_refused(document)


def test_only_the_script_that_the_policy_names_may_run() -> None:
    tree = Tree(page(faster("some", 1, 9.0)))
    (policy,) = [str(a["content"]) for a, _ in tree.of("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    ((_, script),) = tree.of("script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_texts_are_cut_and_numbers_stay_short() -> None:
    assert plain("x" * 1000, 10) == "xxxxxxxxx…"
    assert plain("a\n\tb\u2028c") == "a b c"
    huge = tables([faster("some", 1, 1e300)])[0]["rows"][0]
    assert huge["cells"][0]["text"] == "1e+300"


def bad_files(folder: Path) -> dict[str, str]:
    """Files that no honest run leaves, and what is said of each."""
    target = folder / "stranger"
    target.mkdir(parents=True)
    good = halves.document()
    deep = "[" * 100_000 + "]" * 100_000
    texts = {
        "not-json.json": ("{", "truncated"),
        "nan.json": ('{"schema": NaN}', "malformed"),
        "deep.json": (deep, "too deep"),
        "list.json": ("[]", "Expected `object`"),
        "empty.json": ("", "empty"),
        "large.json": ("x" * (LARGEST + 1), "larger than"),
        "huge.json": (json.dumps({**good, "schema": 10**40}), ""),
        "other.json": (json.dumps({"schema": 1, "hello": EVIL}), "missing required field"),
        "negative.json": (json.dumps({**good, "measured_on": "26 November"}), "measured_on"),
    }
    for name, (content, _) in texts.items():
        (target / name).write_text(content)
    (target / "binary.json").write_bytes(b"\xff\xfe\x00")
    (target / "folder.json").mkdir()
    return {**{name: said for name, (_, said) in texts.items()}, "binary.json": "UTF-8", "folder.json": "no such file"}


def test_what_can_not_be_used_is_named_and_left_out_beside_what_can(tmp_path: Path) -> None:
    said = bad_files(tmp_path)
    halves.write(tmp_path, faster("good", 1, 9.0))
    bundles.write(tmp_path, run_id(5))
    found = gather([tmp_path])
    assert sorted(one.result.target["name"] for one in found.runs.values()) == ["good", "tidemark"]
    left = dict(found.left_out)
    assert set(left) == {f"stranger/{name}" for name in said}
    for name, words in said.items():
        assert words.lower() in left[f"stranger/{name}"].lower(), (name, left[f"stranger/{name}"])


def test_a_published_run_and_its_bundle_are_one_row(tmp_path: Path) -> None:
    bundles.write(tmp_path, run_id(1))
    halves.write(tmp_path, halves.half("tidemark", run_id(1)))
    found = gather([tmp_path])
    assert len(found.runs) == 1
    assert found.left_out == []


def test_a_run_with_a_fault_gives_its_takeover_and_no_figures(tmp_path: Path) -> None:
    bundles.write(tmp_path, run_id(1))
    drilled = bundles.write(tmp_path, run_id(2))
    write_json(drilled / "fault.json", bundles.FAULT)
    drills = tmp_path / "20261126-010300-drills-aaaa"
    drills.mkdir()
    runs = [{"run_id": run_id(2), "seed": 1, "hit": True, "what": "killed", "why": ""}]
    strategy = bundles.result().strategy
    write_json(drills / "drills.json", halves.drills(halves.drill(runs=runs, strategy=strategy)))
    found = gather([tmp_path])
    assert list(found.runs) == [run_id(1)]
    assert tables(found.runs.values())[0]["rows"][0]["takeover"]["text"] == "1.2 s"
    write_json(drills / "drills.json", halves.drills(halves.drill(strategy=strategy), target="crud"))
    assert tables(gather([tmp_path]).runs.values())[0]["rows"][0]["takeover"]["text"] == "not told"


def test_the_command_leaves_the_page_and_points_latest_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad_files(tmp_path)
    bundles.write(tmp_path, run_id(1))
    monkeypatch.setattr("sys.argv", ["bench", "board", "--results", str(tmp_path)])
    assert main() == 0
    made = (tmp_path / "latest" / "board" / "index.html").read_text(encoding="utf-8")
    assert "Left out" in made
    document = json.loads((tmp_path / "latest" / "board.json").read_text())
    assert [row["target"] for table in document["tables"] for row in table["rows"]] == ["tidemark"]
    said = capsys.readouterr().out
    assert "left out: stranger/nan.json" in said
    assert "1 correct, of 1 target." in said


def test_without_any_result_the_page_says_so(tmp_path: Path) -> None:
    assert "there is no result to show" in seen(render(tables(gather([tmp_path]).runs.values()), [], "board-1"))


def test_each_filter_and_each_column_is_one_that_the_rows_have() -> None:
    tree = Tree(page(faster("some", 1, 9.0)))
    (row,) = [a for tag, a, _ in tree.found if tag == "tr" and "data-target" in a]
    (table,) = [a for tag, a, _ in tree.found if tag == "div" and "data-class" in a]
    filters = [str(a["name"]) for a, _ in tree.of("select")]
    assert {f"data-{name}" for name in filters} <= {*row, *table}
    sorts = {str(a["data-sort"]) for a, _ in tree.of("th") if "data-sort" in a}
    assert {"state", "target", "proof", "actions_per_s", "takeover"} <= sorts
    assert not re.search(r"\b(fetch|XMLHttpRequest|localStorage|eval)\b", page())
