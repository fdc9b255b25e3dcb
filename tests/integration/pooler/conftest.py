"""A PgBouncer in each mode, before the test run's server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster import Cluster
from tests.pgbouncer import Bouncer, pgbouncer


@pytest.fixture(scope="module")
def transaction(cluster: Cluster) -> Iterator[Bouncer]:
    """In transaction mode, with fewer connections than there are clients."""
    with pgbouncer(cluster.server, "transaction") as bouncer:
        yield bouncer


@pytest.fixture(scope="module")
def session(cluster: Cluster) -> Iterator[Bouncer]:
    """In session mode."""
    with pgbouncer(cluster.server, "session", size=20) as bouncer:
        yield bouncer


@pytest.fixture
def url(cluster: Cluster) -> str:
    """A migrated database; its address leads to the server itself."""
    return cluster.create()
