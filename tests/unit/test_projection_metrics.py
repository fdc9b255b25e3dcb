"""What `/metrics` tells of the projection is what the catalogue says, and each entry of the catalogue is told."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from eventstore.append.statements import NAMES
from eventstore.connection.pool import Usage
from eventstore.visibility.holders import Holder, Holders
from metrics.exposed import EXPOSED
from projection.stats import Blocked, ProjectorStats, Stats
from services.api.routes.projection_metrics import Samples, of_a_store, of_this_process, told
from services.api.serving.admission import Admission

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = {
    "open": "global-order open p serial",
    "used": "global-order p serial used",
    "awaited": "awaited global-order p serial",
}
OURS = of_this_process(
    Usage(open=4, used=3, awaited=2, time_limits=1), {"single": 5, "batched": 6}, Admission(1.0, b"")
)
PROJECTOR = ProjectorStats(
    "p",
    "serial",
    "global-order",
    "set",
    "todos",
    True,
    NOW,
    NOW,
    1,
    2,
    3,
    4,
    5,
    6,
    None,
    7,
    8,
    9,
    True,
    10,
    11,
    12,
    "a right",
)
BLOCKED = Blocked("projection", "s", 2, 1, "no", 5, NOW)
WRITER = Holder("session", 7, "psql", None, NOW, 3)
READER = Holder("session", None, "psql", None, None, 3)
HOLDERS = Holders(NOW + timedelta(seconds=2), 0, READER, WRITER)
STATS = Stats(NOW, 9, 3, 7, 5, None, 9, None, NOW, 0, 1, [], [BLOCKED], [PROJECTOR])
HERE = of_a_store(STATS, HOLDERS, 3)
AWAY = of_a_store(None, None, 3)


def samples(*stores: Samples) -> list[Sample]:
    """What Prometheus reads."""
    families = text_string_to_metric_families(told(stores, OURS).decode())
    return [sample for family in families for sample in family.samples]


def values(stats: Stats | None) -> dict[str, float]:
    """The samples of one store by name and label values."""
    told = samples(of_a_store(stats, HOLDERS, 3) if stats else AWAY)
    return {" ".join((one.name, *sorted(one.labels.values()))): one.value for one in told}


def test_the_catalogue_and_what_is_told_are_the_same() -> None:
    found = {**OURS, **of_a_store(STATS, replace(HOLDERS, snapshot=WRITER), 0)}
    assert found.keys() == {one.name for one in EXPOSED}
    assert len({one.name for one in EXPOSED}) == len(EXPOSED)


def test_the_page_for_operators_knows_no_other_names() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operation" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\btidemark_(?:api|blocked|oldest|projec|snapshot|store|watermark)\w+", page))
    told = {f"{one.name}_total" if one.kind == "counter" else one.name for one in EXPOSED}
    assert len(named) > 10
    assert named <= told | {"tidemark_api", "tidemark_projector"}


def test_each_figure_is_told() -> None:
    found = values(STATS)
    assert found["tidemark_backlog_events"] == 2
    assert (found["tidemark_store_up"], found["tidemark_projectors_alive"]) == (1, 1)
    assert (found["tidemark_blocked_streams"], found["tidemark_projection_blocked"]) == (1, 1)
    expected = {
        "leases_held": 1,
        "claims_total": 2,
        "batches_total": 3,
        "events_projected_total": 4,
        "duplicates_total": 5,
        "takeovers_total": 6,
        "sessions_total": 7,
        "fenced_total": 8,
        "time_limits_total": 9,
        "alive": 1,
        "listening": 1,
        "waiting": 1,
    }
    assert {name: found[f"tidemark_projector_{name} global-order p serial"] for name in expected} == expected
    pool = {state: found[f"tidemark_projector_connections {key}"] for state, key in KEYS.items()}
    assert pool == {"open": 10, "used": 11, "awaited": 12}


def test_who_holds_back_is_named_with_pid_application_and_age() -> None:
    found = values(STATS)
    assert found["tidemark_watermark_held_positions 7 psql session"] == 3
    assert found["tidemark_watermark_held_seconds 7 psql session"] == 2
    assert found["tidemark_snapshot_held_transactions  psql session"] == 3
    assert not any(name.startswith("tidemark_snapshot_held_seconds") for name in found)


def test_only_the_projection_blocks_the_projection() -> None:
    stats = replace(STATS, blocked=[replace(BLOCKED, scope="stream")])
    assert values(stats)["tidemark_projection_blocked"] == 0


def test_a_store_that_is_away_is_told_beside_the_pool() -> None:
    found = {name.split(" ")[0]: value for name, value in values(None).items()}
    assert found.pop("tidemark_store_up") == 0
    assert found.pop("tidemark_store_unsound") == 3
    assert set(found) == {
        "tidemark_api_connections",
        "tidemark_api_requests",
        "tidemark_api_requests_shed_total",
        "tidemark_api_time_limits_total",
        "tidemark_api_append_statements_total",
    }


def test_each_append_statement_is_counted() -> None:
    found = values(STATS)
    told = [found[f"tidemark_api_append_statements_total {os.getpid()} {name}"] for name in NAMES]
    assert told == [5, 6, 0]


def by_shard(name: str, told: list[Sample]) -> dict[str, float]:
    return {one.labels["shard"]: one.value for one in told if one.name == name}


def test_one_shard_that_is_away_takes_no_figure_from_the_others() -> None:
    told = samples(HERE, AWAY, HERE)
    assert by_shard("tidemark_store_up", told) == {"0": 1, "1": 0, "2": 1}
    assert by_shard("tidemark_store_unsound", told) == {"0": 3, "1": 3, "2": 3}
    for one in samples(HERE):
        shards = ("0", "1", "2") if one.name in ("tidemark_store_up", "tidemark_store_unsound") else ("0", "2")
        wanted = [one.labels] if "process" in one.labels else [{**one.labels, "shard": shard} for shard in shards]
        assert [
            each.labels for each in told if each.name == one.name and one.labels.items() <= each.labels.items()
        ] == (wanted)


def test_a_store_alone_has_no_number() -> None:
    assert not any("shard" in one.labels for one in [*samples(HERE), *samples(AWAY)])
