"""A scenario's file: read strictly, or refused in one line with the file, the place, what is wrong and what to do."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from services.loadgen.settings import Settings
from services.loadgen.workload.plan import plan
from settings import SettingError
from settings.scenarios import reader
from settings.scenarios.errors import BadScenario
from settings.scenarios.scenario import Scenario

ROOT = Path(__file__).resolve().parents[3]
MUTATIONS = 1500
OWN = """\
description = "Mostly reads, and then a rush of creates"
phases = [
  {name = "warmup", mix = "calm", at_least_seconds = 2},
  {name = "load", weight = 3, mix = "calm"},
  {name = "warmup", seconds = 1, mix = "rush", writers = 1, users = 0.5},
  {name = "load", mix = "rush", writers = 1, users = 0.5},
]

[settings]
VUS = 20
DURATION = "8s"
WRITE_RATIO = 0.1

[mixes.calm]
writes = {update = 3, create = 1}
reads = {list = 1, one = 9}

[mixes.rush]
sequence = ["create", "update"]
"""


def own(folder: Path, text: str = OWN, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_scenario_of_ones_own_is_read_from_its_path(tmp_path: Path) -> None:
    scenario = reader.load(str(own(tmp_path)))
    assert (scenario.name, scenario.shipped) == ("mine", False)
    assert scenario.settings == {"VUS": "20", "DURATION": "8s", "WRITE_RATIO": "0.1"}
    settings = Settings.from_env({"SCENARIO": str(tmp_path / "mine.toml")})
    first, long, rush, short, convergence, _ = plan(settings)
    assert [phase.seconds for phase in (first, long, rush, short)] == [3.0, 6.0, 1.0, 2.0]
    assert long.writes == (("create", 0.25), ("update", 1.0))
    assert long.reads == (("one", 0.9), ("list", 1.0))
    assert (long.writers, short.writers, short.users, convergence.writers) == (0.1, 1.0, 0.5, 1.0)
    assert short.sequence == ("create", "update")
    assert (scenario.staged, scenario.open_loop, scenario.extra_s) == (True, False, 3.0)


def test_the_path_of_a_shipped_file_is_the_shipped_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(reader.FOLDER.parent)
    assert reader.load("scenarios/reads.toml") == reader.load("reads")


def test_the_text_of_a_scenario_is_all_that_another_machine_needs(tmp_path: Path) -> None:
    scenario = reader.load(str(own(tmp_path)))
    again = reader.told(scenario.variables())
    assert again == scenario
    assert again.digest == f"sha256:{hashlib.sha256((tmp_path / 'mine.toml').read_bytes()).hexdigest()}"
    assert reader.load("reads").variables() == {"SCENARIO": "reads", "SCENARIO_TEXT": ""}


def test_a_variable_wins_over_a_scenarios_default(tmp_path: Path) -> None:
    path = str(own(tmp_path))
    assert Settings.from_env({"SCENARIO": path, "DURATION": ""}).duration_s == 8
    assert Settings.from_env({"SCENARIO": path, "DURATION": "2s"}).duration_s == 2


@pytest.mark.parametrize("which", ["chaos", "scenarios", ""])
def test_a_name_that_is_none_is_refused_with_those_that_are(which: str) -> None:
    with pytest.raises(SettingError, match=r"^SCENARIO=.* expected one of throughput, actions, .* ends in \.toml"):
        reader.load(which)


REFUSALS = {
    "no TOML": ("VUS = 20", "VUS = ", "Invalid value"),
    "unknown key": ('description = "M', 'kind = "x"\ndescription = "M', "$: Object contains unknown field `kind`"),
    "unknown key of a phase": ("weight = 3", "wait = 3", "$.phases[1]: Object contains unknown field `wait`"),
    "unknown key of a mix": ("reads =", "looks =", "$.mixes.calm: Object contains unknown field `looks`"),
    "unknown phase": ('name = "load", weight', 'name = "attack", weight', "$.phases[1].name: Invalid value 'attack'"),
    "unknown mix": ('"rush", writers = 1, users = 0.5},\n]', '"dash"},\n]', "$.phases[3].mix: there is no mix 'dash'"),
    "unknown operation": ("{update = 3", "{upsert = 3", "$.mixes.calm.writes: Invalid enum value 'upsert'"),
    "unknown step": ('"create", "update"]', '"create", "raise"]', "Invalid enum value 'raise'"),
    "unknown read": ("{list = 1", "{page = 1", "$.mixes.calm.reads: Invalid enum value 'page'"),
    "unknown setting": ("VUS = 20", "VU = 20", "$.settings.VU: no setting of a run"),
    "itself as a setting": ("VUS = 20", 'SCENARIO = "reads"', "$.settings.SCENARIO: no setting of a run"),
    "setting beyond its bounds": ("VUS = 20", "VUS = 0", "$.settings.VUS='0' is not usable"),
    "setting of the wrong kind": ("VUS = 20", "VUS = [20]", "$.settings[...]: Expected"),
    "rate in stages": ("VUS = 20", "RATE = 20", "$.settings.RATE: a scenario with stages"),
    "skew of creates alone": (
        'VUS = 20\nDURATION = "8s"\nWRITE_RATIO = 0.1\n\n[mixes.calm]\nwrites = {update = 3, create',
        "SKEW = 0.5\n\n[mixes.calm]\nwrites = {create",
        "$.settings.SKEW: no mix has updates that its writers draw; leave SKEW out",
    ),
    "no description": ('description = "Mostly reads, and then a rush of creates"', "", "required field `description`"),
    "no mix": ("weight = 3, mix", "weight = 3, mux", "$.phases[1]: Object"),
    "weight of nothing": ("weight = 3", "weight = 0", "$.phases[1].weight: Expected `float` > 0.0"),
    "weight without end": ("weight = 3", "weight = inf", "$.phases[1].weight: Expected `float` <="),
    "weight that is no number": ("weight = 3", "weight = nan", "$.phases[1].weight: Expected `float`"),
    "weight of an operation": ("update = 3", "update = -3", "$.mixes.calm.writes[...]: Expected `float` > 0.0"),
    "more users than all": ("users = 0.5},\n]", "users = 1.5},\n]", "$.phases[3].users: Expected `float` <= 1.0"),
    "writers above all": ("writers = 1, users = 0.5},\n]", "writers = 2},\n]", "$.phases[3].writers: Expected"),
    "seconds without end": ("seconds = 1,", "seconds = 99999,", "$.phases[2].seconds: Expected `float` <= 3600"),
    "warm-up without a length": ("seconds = 1,", "", "$.phases[2]: only the first phase can last WARMUP"),
    "two lengths": ("at_least_seconds = 2", "at_least_seconds = 2, seconds = 1", "has no meaning beside"),
    "seconds of a load": ("weight = 3", "seconds = 3", "$.phases[1]: Object contains unknown field `seconds`"),
    "writers without writes": ("writes = {update = 3, create = 1}", "", "$.phases[0]: its writers have nothing"),
    "readers without reads": ("reads = {list = 1, one = 9}", "", "$.phases[0]: its readers have nothing"),
    "both kinds of writes": ('sequence = ["c', 'writes = {create = 1}\nsequence = ["c', "at once"),
    "sequence without a todo": ('["create", "update"]', '["update"]', "$.mixes.rush.sequence: it can not"),
    "sequence after the end": ('["create", "update"]', '["create", "delete", "update"]', "$.mixes.rush.sequence"),
    "mix of nobody": ("[mixes.rush]", "[mixes.rest]\nreads = {one = 1}\n\n[mixes.rush]", "$.mixes.rest: no phase"),
    "mix with a bad name": ("[mixes.rush]", '[mixes."a b"]\nreads = {one = 1}\n\n[mixes.rush]', "$.mixes: 'a b'"),
    "too large": ("[mixes.calm]", f"# {'x' * reader.LARGEST}\n[mixes.calm]", "is larger than"),
    "too many digits": ("weight = 3", f"weight = {'3' * 5000}", ""),
    "nested too deeply": ("VUS = 20", f"VUS = {'[' * 3000}", "nested too deeply"),
}


@pytest.mark.parametrize(("before", "after", "told"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_wrong_is_refused_with_its_place(before: str, after: str, told: str, tmp_path: Path) -> None:
    assert OWN.count(before) >= 1
    assert told in refused(own(tmp_path, OWN.replace(before, after, 1)))


def refused(path: Path) -> str:
    """The refusal of a file, which is one line that begins with its path and ends with what to do."""
    with pytest.raises(BadScenario) as refusal:
        reader.load(str(path))
    said = str(refusal.value)
    assert said.startswith(f"{path}: ")
    assert "; " in said
    assert "\n" not in said
    return said


def test_a_load_without_a_measured_phase_is_refused(tmp_path: Path) -> None:
    text = OWN.replace('"load", weight = 3', '"warmup", seconds = 1').replace('"load"', '"warmup", seconds = 1')
    assert "$.phases: nothing is measured; add a phase" in refused(own(tmp_path, text))


def test_an_empty_or_missing_file_and_what_is_no_file_are_refused(tmp_path: Path) -> None:
    assert "required field" in refused(own(tmp_path, ""))
    assert "there is no such file" in refused(tmp_path / "none.toml")
    (tmp_path / "folder.toml").mkdir()
    assert "not a file" in refused(tmp_path / "folder.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    assert "byte 0 is no UTF-8" in refused(tmp_path / "bytes.toml")
    os.mkfifo(tmp_path / "pipe.toml")
    assert "not a file" in refused(tmp_path / "pipe.toml")


def test_a_byte_order_mark_is_let_pass(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf" + OWN.encode())
    assert reader.load(str(tmp_path / "mine.toml")).text == OWN


@pytest.mark.parametrize("name", ["reads.toml", "a b.toml", ".toml", f"{'x' * 41}.toml", "ä.toml"])
def test_a_name_that_misleads_or_fits_no_folder_is_refused(name: str, tmp_path: Path) -> None:
    assert "name" in refused(own(tmp_path, name=name))


def test_a_text_that_was_told_is_refused_by_its_variable() -> None:
    with pytest.raises(BadScenario, match=r"^mine \(SCENARIO_TEXT\): \$: .*unknown field `kind`"):
        reader.told({"SCENARIO": "mine", "SCENARIO_TEXT": f"kind = 1\n{OWN}"})


OTHER_VALUES = ('"text"', '""', "7", "-7", "0", "1.5", "1e308", "nan", "inf", "true", "[]", "{}", "1979-05-27", "[[1]]")


def mutate(text: str, random: Random) -> str:
    """Damage a text as editors, typing errors and other versions do."""
    kind = random.choice(("cut", "flip", "line", "twice", "value", "value", "value", "word", "word"))
    lines = text.splitlines(keepends=True)
    number = random.randrange(len(lines))
    if kind == "cut":
        return text[: random.randrange(len(text))]
    if kind == "flip":
        place = random.randrange(len(text))
        return text[:place] + chr(random.randrange(1, 300)) + text[place + 1 :]
    if kind == "line":
        return "".join(lines[:number] + lines[number + 1 :])
    if kind == "twice":
        return "".join([*lines[:number], lines[number], *lines[number:]])
    found = list(re.finditer(r"(?<= = )[^,}\n]+" if kind == "value" else r"\w+", text))
    at = random.choice(found)
    other = random.choice(OTHER_VALUES) if kind == "value" else random.choice(("more", "load", "create", "9"))
    return text[: at.start()] + other + text[at.end() :]


def test_a_damaged_scenario_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    outcomes = {"read": 0, "refused": 0}
    for seed in range(MUTATIONS):
        path = own(tmp_path, mutate(OWN, Random(seed)))
        found = outcome(path)
        if isinstance(found, Scenario):
            carried_out(found, seed)
            outcomes["read"] += 1
        else:
            assert found.startswith(f"{path}: "), seed
            assert "\n" not in found, seed
            outcomes["refused"] += 1
    assert min(outcomes.values()) >= 50, outcomes


def outcome(path: Path) -> Scenario | str:
    """What was read, or the refusal."""
    try:
        return reader.load(str(path))
    except BadScenario as refusal:
        return str(refusal)


def carried_out(scenario: Scenario, seed: int) -> None:
    """What was read can be planned: every phase has a bound, every user something to do."""
    phases = plan(Settings.from_env(scenario.variables()))
    for phase in phases[:-2]:
        assert phase.seconds is not None, seed
        assert 0 < phase.seconds <= 86_400, seed
        assert phase.writers == 0 or phase.writes or phase.sequence, seed
        assert phase.writers == 1 or phase.reads, seed
        assert [bound for _, bound in (*phase.writes[-1:], *phase.reads[-1:])] in ([], [1.0], [1.0, 1.0]), seed


def test_a_shipped_scenario_is_one_also_where_the_tree_is_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "tree").symlink_to(ROOT)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bench", "run", "--list"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "tree")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "throughput" in done.stdout
