"""What the model is made of: figures of `task perf` by name, what is planned with, and a capacity curve to check it by.

A figure is read from the page that `task perf -- --publish` writes. One of a row that the page does not have yet has a
provisional value here, and is told as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bench.answers.capacity.model.published import COST, figure
from settings.catalogue.api import API_POOL_SIZE
from settings.catalogue.projection import STREAMS_IN_FLIGHT

LIVE: Final = "append and project at 1,000/s"
SHARDS: Final = "2 Postgres servers against 1"


@dataclass(frozen=True)
class Input:
    """A measured figure: `name` in Figures; `row` and `of` where it is on the page, `formerly` an older title."""

    name: str
    what: str
    unit: str
    row: str
    of: str = COST
    provisional: float | None = None
    formerly: str = ""

    def value(self, page: str) -> float:
        """As published, or provisional. Raises LookupError where the page has lost it."""
        published = self._published(page)
        found = self.provisional if published is None else published
        if found is None:
            raise LookupError(f"{self.row}: {self.of} is not on the page of `task perf`")
        return found

    def source(self, page: str) -> str:
        """Where it comes from, for people."""
        named = f"`{self.row}`" if self.of == COST else f"row *{self.row} …*, {self.of}"
        return named if self._published(page) is not None else f"{named}: not published yet, provisional"

    def _published(self, page: str) -> float | None:
        found = figure(page, self.row, self.of)
        return figure(page, self.formerly, self.of) if found is None and self.formerly else found


@dataclass(frozen=True)
class Figures:
    """The measured figures by name; their units are in INPUTS."""

    api_us: float
    projector_us: float
    postgres_us: float
    wal_bytes: float
    more_by_shards: float
    disk_bytes: float
    not_hot: float
    whole_per_s: float
    rebuild_per_s: float
    serial_per_s: float
    held_ms: float
    one_projector_per_s: float
    four_projectors_per_s: float


INPUTS: Final = (
    Input("api_us", "processor of the API", "µs an event", f"{LIVE}: processor of api"),
    Input("projector_us", "processor of a projector", "µs an event", f"{LIVE}: processor of projector"),
    Input("postgres_us", "processor of Postgres", "µs an event", f"{LIVE}: processor of postgres"),
    Input("wal_bytes", "WAL", "bytes an event", f"{LIVE}: WAL"),
    Input("more_by_shards", "processor of all, two servers over one", "×", SHARDS, "× reference", 1.24),
    Input("disk_bytes", "tables and indexes", "bytes an event", SHARDS, "disk bytes", 676),
    Input("not_hot", "updates that are not HOT", "an event", SHARDS, "updates not HOT", 1.83),
    Input("whole_per_s", "the whole system, saturated, client included", "events/s", "The whole system", "ours"),
    Input(
        "rebuild_per_s",
        "a backlog projected by stream-locks",
        "events/s",
        "Rebuild of 1 M events over 100,000 streams by stream-locks",
        "ours",
        formerly="Rebuild of 1 M events over 100,000 streams, parallel",
    ),
    Input(
        "serial_per_s",
        "a backlog projected by global-order",
        "events/s",
        "Rebuild of 1 M events over 100,000 streams by global-order",
        "ours",
        formerly="Rebuild of 1 M events over 100,000 streams, serial",
    ),
    Input(
        "held_ms",
        "commit to visible at 1,000 events/s, without a handler's latency",
        "ms",
        "Commit to visible at 1,000 events/s",
        "p50",
    ),
    Input("one_projector_per_s", "1 projector, 5 ms an event", "events/s", "4 projectors against 1", "reference"),
    Input("four_projectors_per_s", "4 projectors, 5 ms an event", "events/s", "4 projectors against 1", "ours"),
)


def figures(page: str) -> Figures:
    """All inputs as the page has them."""
    return Figures(**{one.name: one.value(page) for one in INPUTS})


@dataclass(frozen=True)
class Plan:
    """What is planned with: none of it is measured. `full` is the share of a part that may be in use."""

    rate: float = 100_000
    events: float = 1e9
    full: float = 0.7
    server_cores: int = 16
    cores_measured: int = 2
    wal_disk_mb_s: float = 500
    network_mb_s: float = 1_250
    standbys: int = 1
    connections: int = 97
    pool: int = API_POOL_SIZE.default
    connections_of_a_projector: int = 5
    vacuum_pages_s: float = 5_000
    handler_ms: float = 20
    in_flight: int = STREAMS_IN_FLIGHT.default


PLANNED: Final = {
    "full": "share of a part that may be in use before it counts as full",
    "server_cores": "cores of a Postgres server",
    "cores_measured": "cores of the machine on which the inputs were measured",
    "wal_disk_mb_s": "MB/s that the disk of the WAL writes",
    "network_mb_s": "MB/s of a server's network (10 Gbit/s)",
    "standbys": "standbys that each server streams its WAL to",
    "connections": "connections of a server: `max_connections` as shipped (100), less 3 for the superuser",
    "pool": "connections of an API process to each shard: `API_POOL_SIZE` as shipped",
    "connections_of_a_projector": "connections of a projector to each shard",
    "vacuum_pages_s": "pages/s that a server's autovacuum may dirty as shipped: a cost of 200 in 2 ms, 20 a page",
    "handler_ms": "ms that a handler takes for an event, where it takes its time",
    "in_flight": "streams that a projector works on at once: `STREAMS_IN_FLIGHT` as shipped",
}
"""What each of the plan's figures is, but for the load itself."""


@dataclass(frozen=True)
class Curve:
    """Answers of `bench:capacity`: by projectors, the lowest and the highest requests/s that held, and that failed."""

    held: dict[int, tuple[float, float]]
    failed: dict[int, tuple[float, float]]
    handler_ms: float
    in_flight: int
    bound_ms: float
    writes: float


CURVE: Final = Curve(
    held={1: (273, 276), 2: (585, 590), 4: (1080, 1190)},
    failed={1: (304, 305), 2: (644, 649), 4: (1310, 1330)},
    handler_ms=20,
    in_flight=4,
    bound_ms=300,
    writes=0.5,
)
"""Two sittings of 2026-11-26 on two cores, Debian 12, Postgres 18.6; the page has the command."""
