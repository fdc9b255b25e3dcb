"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.cluster import Cluster

# What the tests themselves ask and start is on this machine, whatever servers and proxies its user has.
for name in [name for name in os.environ if name.startswith(("PG", "LOCUST_", "GIT_", "OTEL_"))]:
    del os.environ[name]
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The run's Postgres; one for each worker of pytest-xdist."""
    with Cluster.throwaway() as running:
        yield running
