"""A stage of its own for each test: what is done to it is nothing that a next test could begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.cluster import Cluster
from tests.integration.projector.stage import Stage


@pytest.fixture
async def stage(cluster: Cluster) -> AsyncIterator[Stage]:
    """An empty stage on a fresh database."""
    async with cluster.database() as url, Stage.on(url) as made:
        yield made
