"""Two stages for each test: the system as it is plays on one, the mutant on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.cluster import Cluster
from tests.integration.projector.stage import Stage
from tests.mutants.caught import Stages


@pytest.fixture(scope="module")
def urls(cluster: Cluster) -> tuple[str, str]:
    """Two migrated databases for the tests of one module."""
    return cluster.create(), cluster.create()


@pytest.fixture
async def stages(urls: tuple[str, str]) -> AsyncIterator[Stages]:
    """Two empty stages."""
    async with Stage.on(urls[0]) as real, Stage.on(urls[1]) as mutant:
        yield Stages(real, mutant)
