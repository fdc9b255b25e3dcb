"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The run's Postgres; one for each worker of pytest-xdist."""
    with Cluster.throwaway() as running:
        yield running
