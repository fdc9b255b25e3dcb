"""An empty stage for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.cluster import Cluster
from tests.integration.projector.stage import Stage


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    """A migrated database for the tests of one module."""
    return cluster.create()


@pytest.fixture
async def stage(url: str) -> AsyncIterator[Stage]:
    """An empty stage."""
    async with Stage.on(url) as stage:
        yield stage
