"""Hosts are gone with the process that made them, at whatever moment it is killed: their removal is told first."""

from __future__ import annotations

from collections.abc import Mapping
from subprocess import CompletedProcess
from typing import cast

import pytest

from bench.ends.bounded import NoAnswer
from bench.ends.errors import RunFailed
from bench.ends.guardian import Guardian
from bench.perf.contests.hosts import namespaces
from bench.perf.contests.hosts.namespaces import hosts
from bench.perf.row import Unmeasured


class Told:
    """A guardian that keeps what it would run."""

    def __init__(self) -> None:
        self.kept: list[list[str]] = []

    def run(self, command: list[str], _: Mapping[str, str]) -> None:
        self.kept.append(command)

    def spare(self, command: list[str]) -> None:
        self.kept.remove(command)


def test_the_removal_is_told_before_a_namespace_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    told, there = Told(), set[str]()

    def ip(*arguments: str) -> str:
        if arguments[:2] == ("netns", "add"):
            assert ["ip", "netns", "delete", arguments[2]] in told.kept
            there.add(arguments[2])
        return "\n".join(there) if arguments == ("netns", "list") else ""

    def ask(command: list[str], _: Mapping[str, str]) -> CompletedProcess[str]:
        there.discard(command[-1])
        return CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(namespaces, "ip", ip)
    monkeypatch.setattr(namespaces, "ask", ask)
    with hosts(["one"], cast("Guardian", told)) as made:
        assert there == set(made.namespaces)
        assert len(told.kept) == len(there) == 2
    assert (there, told.kept) == (set(), [])


def test_where_none_can_be_made_none_is_to_be_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()

    def refused(*_: str) -> str:
        raise RunFailed("ip netns add: Operation not permitted")

    def absent(*_: object) -> CompletedProcess[str]:
        raise NoAnswer("No such file or directory")

    monkeypatch.setattr(namespaces, "ip", refused)
    monkeypatch.setattr(namespaces, "ask", absent)
    with pytest.raises(Unmeasured, match="Operation not permitted"), hosts(["one"], cast("Guardian", told)):
        pass
    assert told.kept == []
