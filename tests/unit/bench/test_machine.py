"""What a result says of where it was measured."""

from __future__ import annotations

import socket
from getpass import getuser
from pathlib import Path

import pytest

from bench import ROOT
from bench.preflight.description import LIKENESS, durable, machine, unlike, versions


def test_the_machine_is_described_without_names() -> None:
    found = machine()
    assert found["cores"] is not None
    assert found["cores"] >= 1
    assert found["ram_gib"] > 0
    assert all(found[name] for name in LIKENESS)
    assert socket.gethostname() not in str(found)
    assert getuser() not in str(found)


def test_a_machine_is_like_itself() -> None:
    assert unlike(machine(), machine()) == []


@pytest.mark.parametrize("name", LIKENESS)
def test_each_property_can_make_two_machines_unlike(name: str) -> None:
    found = machine()
    assert unlike(found, {**found, name: "other"}) == [name]
    assert unlike(found, {key: value for key, value in found.items() if key != name}) == [name]


def test_versions_name_the_packages_and_outside_of_git_no_revision(tmp_path: Path) -> None:
    found = versions(ROOT)
    assert {"asyncpg", "litestar", "locust", "sqlalchemy"} <= set(found["packages"])
    assert versions(tmp_path)["revision"] is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"fsync": "on", "synchronous_commit": "on"}, True),
        ({"fsync": "on", "synchronous_commit": "remote_apply"}, True),
        ({"fsync": "on", "synchronous_commit": "local"}, True),
        ({"fsync": "on", "synchronous_commit": "off"}, False),
        ({"fsync": "off", "synchronous_commit": "on"}, False),
        ({"fsync": "on"}, False),
        ({}, False),
    ],
)
def test_durable_needs_fsync_and_synchronous_commit(settings: dict[str, str], expected: bool) -> None:
    assert durable({"settings": settings}) is expected
