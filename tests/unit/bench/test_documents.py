"""What is read back from disk: sound, or refused in one line with the file and the place; never a traceback."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bench import ROOT
from bench.__main__ import main
from bench.bundle.comparison import read_comparison
from bench.compare import command
from bench.compare.loaded import load
from bench.drill import command as drill
from bench.ends.errors import SetupError
from bench.perf import cost
from bench.perf.output import results
from bench.report import report
from metrics.records.answers import drills
from metrics.records.record import write_json
from tests.unit.bench import bundles
from tests.unit.bench import drills as made_up
from tests.unit.bench.test_compare_bundles import pairs
from tests.unit.bench.test_compare_bundles import run as compare_them

MUTATIONS = 300
OTHER_VALUES: tuple[Any, ...] = (None, "text", "", 7, -7, 0, 1.5, 1e308, 10**30, True, [], {}, [None], {"a": None})


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a document."""
    parts = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in parts:
        yield (*path, key)
        yield from places(value, (*path, key))


def mutate(path: Path, random: Random) -> str:
    """Damage one file as disks, editors, other versions and killed processes do; returns how."""
    text = path.read_bytes()
    kind = random.choice(("cut", "flip", "drop", "other", "other", "twice", "extra", "empty", "folder", "gzip"))
    if kind in ("drop", "other", "extra") and path.suffix == ".jsonl":
        lines = text.splitlines()
        number = random.randrange(len(lines))
        lines[number] = _changed(lines[number], kind, random)
        path.write_bytes(b"\n".join(lines) + b"\n")
    elif kind in ("drop", "other", "extra"):
        path.write_bytes(_changed(text, kind, random))
    elif kind == "cut":
        path.write_bytes(text[: random.randrange(len(text))])
    elif kind == "flip":
        place = random.randrange(len(text))
        path.write_bytes(text[:place] + bytes([random.randrange(256)]) + text[place + 1 :])
    elif kind == "twice":
        lines = text.splitlines(keepends=True)
        path.write_bytes(b"".join([*lines, random.choice(lines)]))
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "gzip":
        path.write_bytes(gzip.compress(text))
    else:
        path.unlink()
        path.mkdir()
    return kind


def _changed(text: bytes, kind: str, random: Random) -> bytes:
    document = json.loads(text)
    *way, last = random.choice(list(places(document)))
    part = document
    for key in way:
        part = part[key]
    if kind == "drop":
        del part[last]
    elif kind == "extra" and isinstance(part, dict):
        part["more"] = random.choice(OTHER_VALUES)
    else:
        part[last] = random.choice(OTHER_VALUES)
    return json.dumps(document).encode()


def bundle(folder: Path) -> Path:
    """A bundle with every document."""
    made = bundles.write(folder)
    write_json(made / "fault.json", bundles.FAULT)
    stage = {"users": 1, "mix": "mixed", "seconds": 1.5, "actions_per_s": 2.5, "reads_per_s": 3}
    write_json(made / "loadgen.json", {"phases": bundles.PHASES, "stages": [stage, stage]})
    return made


def comparison(folder: Path) -> Path:
    """The folder of a comparison."""
    compare_them(folder, pairs(folder, [5, 5.1, 4.9]))
    (made,) = folder.glob("*-compare-*")
    return made


def perf(folder: Path) -> Path:
    """The figures of `task perf`."""
    row = {
        **dict.fromkeys(("ours", "reference", "peer", "ratio_to_reference", "ratio_to_peer", "spread"), 1.5),
        **{"name": "append", "title": "Append", "unit": "/s", "better": "higher", "holds": True, "note": ""},
        "what": {"server": "", "client": "", "strategy": "", "ours": "a", "reference": "b", "peer": ""},
        "targets": [{"target": "2 × the reference", "measured": 1.5, "holds": False}],
        "figures": {"ours": {"p50": 1.5}},
        "peers": {"emmett": {"value": 1.5, "ratio": None, "from_this_run": True}},
        "trials": {"ours": [1.5]},
    }
    built: dict[str, Any] = {"revision": None, "python": "CPython", "packages": {}, "postgres": "18", "peers": {}}
    settings = {"postgres": "defaults", "durable": True, "http_client": "wrk"}
    head = {"machine": bundles.MACHINE, "versions": built, "settings": settings, "measured_at": "now", "quick": False}
    write_json(folder / results.FILE, {"rows": [row], **head})
    write_json(folder / cost.FILE, {"lines": [{"what": "append", "value": 1.5, "unit": "µs"}]})
    return folder


def read_perf(folder: Path) -> None:
    """As `task perf -- publish` does."""
    from bench.perf import __main__ as command_line
    from bench.perf.output import page

    found = results.read(folder)
    command_line._refuse_unpublishable(found, folder)
    page.render(found, cost.read(folder))


def drills_folder(folder: Path) -> Path:
    """The folder of drills."""
    write_json(folder / drills.FILE, made_up.built(made_up.drilled(made_up.repetition(why_failed="lost", lost=1))))
    return folder


def read_drills_again(folder: Path) -> None:
    drill.render(folder)


def read_comparison_again(folder: Path) -> None:
    command.render(folder)


READERS: dict[str, tuple[Callable[[Path], Path], tuple[Callable[[Path], object], ...]]] = {
    "bundle": (bundle, (report.render, load)),
    "comparison": (comparison, (read_comparison_again,)),
    "perf": (perf, (read_perf,)),
    "drills": (drills_folder, (read_drills_again,)),
}


@pytest.mark.parametrize("kind", READERS)
def test_a_damaged_document_is_read_or_refused_in_one_line(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, readers = READERS[kind]
    folder = make(tmp_path)
    whole = {path: path.read_bytes() for path in folder.iterdir() if path.suffix in (".json", ".jsonl")}
    outcomes = {"read": 0, "refused": 0}
    for seed in range(MUTATIONS):
        random = Random(seed)
        path = random.choice(list(whole))
        how = mutate(path, random)
        for reader in readers:
            said = refused(reader, folder, f"seed {seed}: {how} of {path.name}")
            outcomes["refused" if said else "read"] += 1
            assert not said or str(path) in said or reader is load, (seed, how, said)
            assert "\n" not in said, (seed, how, said)
        if path.is_dir():
            path.rmdir()
        path.write_bytes(whole[path])
    assert min(outcomes.values()) >= 20, outcomes


def refused(reader: Callable[[Path], object], folder: Path, what: str) -> str:
    """The refusal, empty where it was read."""
    try:
        reader(folder)
    except SetupError as refusal:
        return str(refusal)
    except Exception as error:
        raise AssertionError(what) from error
    return ""


DAMAGE: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("result.json", lambda t: t[:200], "Input data was truncated"),
    (
        "result.json",
        lambda t: t.replace(b'"actions": 4321', b'"actions": null'),
        "$.throughput.actions: Expected `int`",
    ),
    (
        "result.json",
        lambda t: t.replace(b'"rejected": 2,', b""),
        "$.throughput: Object missing required field `rejected`",
    ),
    ("result.json", lambda t: t.replace(b'"schema": 2', b'"schema": 1'), "$.schema: 1 is not the one"),
    ("result.json", lambda t: t.replace(b'"converged"', b'"fine"'), "$.verdict: Invalid enum value 'fine'"),
    ("result.json", lambda t: t.replace(b'"why"', b'"more": 1, "why"'), "Object contains unknown field `more`"),
    ("result.json", lambda t: b"", "is empty"),
    ("result.json", gzip.compress, "is compressed; unpack it"),
    ("result.json", lambda t: b"\xff" + t, "byte 0 is no UTF-8"),
    ("result.json", lambda t: b"[" * 100_000, "nested too deeply"),
    ("machine.json", lambda t: t.replace(b'"cpu_model"', b'"cpu"'), "missing required field `cpu_model`"),
    ("verification.json", lambda t: t.replace(b"5.5", b"NaN"), "JSON is malformed"),
    ("loadgen.json", lambda t: t.replace(b"1000.0", b"1e99"), "$.phases[0].started_at: Expected `float` <="),
    (
        "samples.jsonl",
        lambda t: t.replace(b'"backlog": 1', b'"backlog": "1"'),
        "line 2, $.backlog: Expected `float | null`",
    ),
    ("samples.jsonl", lambda t: t.replace(b'{"t": 1002.0', b'{"t"  1002.0'), "line 2: JSON is malformed"),
]


@pytest.mark.parametrize(("name", "damage", "told"), DAMAGE)
def test_a_refusal_names_the_file_the_place_and_what_is_wrong(
    name: str, damage: Callable[[bytes], bytes], told: str, tmp_path: Path
) -> None:
    folder = bundle(tmp_path)
    path = folder / name
    damaged = damage(path.read_bytes())
    assert damaged != path.read_bytes()
    path.write_bytes(damaged)
    with pytest.raises(SetupError) as refusal:
        report.render(folder)
    assert str(refusal.value).startswith(f"{path}: ")
    assert told in str(refusal.value)


def test_a_byte_order_mark_is_no_damage(tmp_path: Path) -> None:
    folder = bundle(tmp_path)
    path = folder / "result.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert report.render(folder)


def test_samples_that_were_cut_off_are_shown_with_a_word(tmp_path: Path) -> None:
    folder = bundle(tmp_path)
    path = folder / "samples.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    told = "samples.jsonl ends within line 4, which is left out: the run was cut off"
    assert told in report.render(folder)
    assert load(folder).cut == told
    assert load(folder).series["backlog"] == [0, 1, 2]


@pytest.mark.parametrize(
    "arguments", [["report", "{}"], ["compare", "{}", "{}"]], ids=lambda arguments: str(arguments[0])
)
def test_the_command_ends_with_2_and_one_line(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bundle(tmp_path)
    (folder / "machine.json").write_text('{"cores": 2')
    monkeypatch.setattr(sys, "argv", ["bench", *(argument.format(folder) for argument in arguments)])
    assert main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{folder / 'machine.json'}: Input data was truncated; ")


def test_a_missing_bundle_is_not_confused_with_a_damaged_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder, why in (
        (tmp_path, "it has no result.json"),
        (tmp_path / "file", "it is no"),
        (tmp_path / "x", "not there"),
    ):
        with pytest.raises(SetupError, match=why):
            report.render(folder)


@pytest.mark.skipif(os.geteuid() != 0 and not Path("/dev/zero").exists(), reason="needs a device")
def test_a_device_is_no_document(tmp_path: Path) -> None:
    folder = bundle(tmp_path)
    (folder / "result.json").unlink()
    (folder / "result.json").symlink_to("/dev/zero")
    done = subprocess.run(
        [sys.executable, "-m", "bench", "report", str(folder)], cwd=ROOT, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert b"not a file" in done.stderr


def test_a_comparison_whose_parts_contradict_each_other_is_refused(tmp_path: Path) -> None:
    folder = comparison(tmp_path)
    path = folder / command.COMPARISON
    page = json.loads(path.read_text())
    page["trials"][0]["arm"] = "other"
    path.write_text(json.dumps(page))
    with pytest.raises(SetupError, match=r"\$\.trials\[0\]\.arm: is no arm of this comparison"):
        read_comparison(path)
