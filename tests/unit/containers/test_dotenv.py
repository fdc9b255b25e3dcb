"""The stack's .env: fresh secrets in a new one, the missing ones in an old one, nothing else touched."""

from __future__ import annotations

import re
from pathlib import Path

from bench.containers.compose import SECRETS
from bench.containers.dotenv import complete, missing, read
from bench.processes import ROOT

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
