"""The stack's .env: fresh secrets in a new one, the missing ones in an old one, nothing else touched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench import ROOT
from bench.ends.errors import SetupError
from bench.platforms.compose.compose import SECRETS
from bench.platforms.compose.dotenv import complete, missing, read

EXAMPLE = ROOT / ".env.example"


def test_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert missing(path, {}) == list(SECRETS)
    complete(path, EXAMPLE, SECRETS, cores=7)
    made = read(path)
    assert missing(path, {}) == []
    assert len({made[name] for name in SECRETS}) == len(SECRETS)
    assert all(re.fullmatch(r"[0-9a-f]{32}", made[name]) for name in SECRETS)
    assert made["STACK_CPUS"] == "7"
    assert set(made) == {*SECRETS, "STACK_CPUS"}
    assert path.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in tmp_path.iterdir()] == [".env"]


def test_every_file_has_other_secrets(tmp_path: Path) -> None:
    for name in ("one", "two"):
        complete(tmp_path / name, EXAMPLE, SECRETS, cores=1)
    assert not set(read(tmp_path / "one").items()) & {(name, read(tmp_path / "two")[name]) for name in SECRETS}


def test_an_old_file_keeps_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("VUS=7   # users\nINFLUX_TOKEN=mine\nPOSTGRES_PASSWORD=\n")
    outside = {"GRAFANA_PASSWORD": "from the environment", **dict.fromkeys(SECRETS[4:], "and those of the roles")}
    names = missing(path, outside)
    assert names == ["POSTGRES_PASSWORD", "INFLUX_PASSWORD"]
    complete(path, EXAMPLE, names, cores=1)
    text = path.read_text()
    assert text.startswith("VUS=7   # users\nINFLUX_TOKEN=mine\nPOSTGRES_PASSWORD=")
    assert set(read(path)) == {"VUS", "INFLUX_TOKEN", "POSTGRES_PASSWORD", "INFLUX_PASSWORD"}
    assert read(path)["VUS"] == "7"
    assert missing(path, outside) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("INFLUX_TOKEN=mine", "mine"),
        ("INFLUX_TOKEN=mine\r\n", "mine"),
        ("INFLUX_TOKEN = mine", "mine"),
        ("INFLUX_TOKEN=mine # a comment", "mine"),
        ("INFLUX_TOKEN=mi#ne", "mi#ne"),
        ('INFLUX_TOKEN="mi # ne"', "mi # ne"),
        ("INFLUX_TOKEN='mi $ne'", "mi $ne"),
        ("INFLUX_TOKEN=${OTHER}", "${OTHER}"),
        ("export INFLUX_TOKEN=mine", "mine"),
        ("INFLUX_TOKEN=first\nINFLUX_TOKEN=mine", "mine"),
        ("\ufeffINFLUX_TOKEN=mine", "mine"),
        ("#INFLUX_TOKEN=mine", None),
        ("INFLUX_TOKEN=", ""),
        ('INFLUX_TOKEN=""', ""),
        ("INFLUX_TOKEN=''  # none", ""),
        ("INFLUX_TOKEN", ""),
        ("INFLUX_TOKEN=mine\nINFLUX_TOKEN=", ""),
    ],
)
def test_a_value_is_read_as_compose_reads_it(text: str, value: str | None, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(text + "\n", encoding="utf-8", newline="")
    assert read(path).get("INFLUX_TOKEN") == value
    names = missing(path, {})
    assert ("INFLUX_TOKEN" in names) == (not value)
    complete(path, EXAMPLE, names, cores=1)
    assert missing(path, {}) == []
    assert read(path)["INFLUX_TOKEN"] == value or not value
    assert not path.read_bytes().startswith(b"\xef\xbb\xbf"), "Task does not take it"


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"VUS=7\r\n\r\nINFLUX_TOKEN=\r\n\r\nSEED=3\r\n")
    complete(path, EXAMPLE, ["INFLUX_TOKEN", "GRAFANA_PASSWORD"], cores=1)
    assert re.fullmatch(
        rb"VUS=7\r\n\r\nINFLUX_TOKEN=\w{32}\r\n\r\nSEED=3\r\nGRAFANA_PASSWORD=\w{32}\r\n", path.read_bytes()
    )


def test_a_file_that_can_not_be_read_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin").write_bytes(b"VUS=7 # caf\xe9\n")
    for name, why in (("folder", "can not be read: Is a directory"), ("latin", "byte 11 is no UTF-8")):
        with pytest.raises(SetupError) as refusal:
            missing(tmp_path / name, {})
        assert str(refusal.value).startswith(f"{tmp_path / name}: {why}; ")
