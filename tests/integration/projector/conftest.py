"""A fresh stage for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.cluster import Cluster
from tests.integration.projector.stage import Stage


@pytest.fixture
async def stage(cluster: Cluster) -> AsyncIterator[Stage]:
    """An empty, migrated database."""
    async with cluster.database() as url, Stage.on(url) as stage:
        yield stage
