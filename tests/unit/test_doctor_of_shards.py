"""What the doctor says of several shards: each fact and row with its shard, and together as sound as the worst."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from rich.console import Console

from bench.answers.doctor.command import doctor
from bench.preflight.examination import Doctor
from eventstore.shards.hash_slots import places
from metrics.records.doctor import WRITES, Fact, Soundness
from services.doctor.document import Examination
from services.doctor.identity import POSTGRES
from services.projector.process.listening import address
from settings import Environment, SettingError
from settings.catalogue.database import addresses, heard_at, listening


def examination(address: str, version: str, *facts: Fact, why: str = "") -> Examination:
    told = [Fact("engine", "PostgreSQL"), Fact("version", version), *facts]
    sound = [Soundness("global-order", "serial", not why, why), Soundness("stream-leases", "parallel", True)]
    return Examination(address, told, sound)


def test_each_row_and_fact_has_its_shard() -> None:
    refused = Fact(WRITES, "refused", "wrong", "the sequence has a cache")
    each = [examination("one", "18.1"), examination("two", "15.18", refused, why="CACHE 20")]
    whole = Examination.joined(list(zip(places(2), each, strict=True)))
    document = whole.document()
    assert document.address == "shard 0 of 2: one · shard 1 of 2: two"
    assert document.engines == ["PostgreSQL 18 (shard 0 of 2)", "PostgreSQL 15 (shard 1 of 2)"]
    assert [one.name for one in document.facts if one.name.startswith("version")] == [
        "version (shard 0 of 2)",
        "version (shard 1 of 2)",
    ]
    assert {one.name: (one.sound, one.why) for one in document.strategies} == {
        "global-order": (False, "shard 1 of 2: CACHE 20"),
        "stream-leases": (True, ""),
    }
    assert whole.code == 1
    found = Doctor(document)
    assert found.why_not("global-order") == "strategy global-order is not sound there: shard 1 of 2: CACHE 20"
    assert found.why_not("stream-leases") == f"{WRITES} (shard 1 of 2) are refused: the sequence has a cache"


def test_one_address_to_listen_at_is_none_of_several_shards() -> None:
    env = Environment({"LISTEN_URL": "postgresql://me:s3cret@h/d"})
    assert listening(env, 1) == "postgresql://me:s3cret@h/d"
    assert listening(Environment({}), 2) is None
    with pytest.raises(SettingError, match=r"LISTEN_URL=.* 2 shards") as refused:
        listening(env, 2)
    assert "s3cret" not in str(refused.value)


def test_what_is_advised_behind_a_pooler_in_transaction_mode_is_not_refused_there() -> None:
    """One address to listen at is advised of one shard alone: the same with several is a bad setting."""
    for shards in (1, 2, 3):
        name, _ = heard_at(shards)
        urls = " ".join(f"postgresql://me:s3cret@h/{number}" for number in range(shards))
        env = Environment({"DATABASE_URLS": urls, **({name: "postgresql://me:s3cret@h/d"} if shards == 1 else {})})
        assert len(addresses(env)) == shards
        assert (listening(env, shards) is not None) == (name == "LISTEN_URL")
    assert heard_at(2) == ("DATABASE_URLS", "addresses of the servers themselves, or of poolers in session mode")


async def test_a_projector_that_would_be_deaf_names_what_helps_with_as_many_shards() -> None:
    pooled: Any = SimpleNamespace(url=None, connector=SimpleNamespace(pooling=AsyncMock(return_value="transaction")))
    with pytest.raises(SettingError, match=r"^DATABASE_URLS=.*poolers in session mode: one of them leads through"):
        await address(pooled, None, 2)
    with pytest.raises(SettingError, match=r"^LISTEN_URL=.*it is not set"):
        await address(pooled, None)


def test_a_doctor_of_several_shards_refuses_one_address_to_listen_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URLS", "postgresql://me@h/one postgresql://me@h/two")
    monkeypatch.setenv("LISTEN_URL", "postgresql://me@h/one")
    with pytest.raises(SettingError, match=r"^LISTEN_URL="):
        doctor(tmp_path, Console())


@pytest.mark.parametrize(
    ("version", "is_one"),
    [
        ("PostgreSQL 18.1 (Debian 18.1-1.pgdg13+2) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit", True),
        ("PostgreSQL 16.4, compiled by Visual C++ build 1940, 64-bit", True),
        ("PostgreSQL 17.0 on x86_64-windows, compiled by msvc-19.41.34120, 64-bit", True),
        ("PostgreSQL 16", False),
        ("Spanner 1.0", False),
    ],
)
def test_a_server_that_names_itself_a_postgres_is_told_by_how_it_was_built(version: str, is_one: bool) -> None:
    assert bool(POSTGRES.match(version)) is is_one
