"""Two stages for each test: the system as it is plays on one, the mutant on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.cluster import Cluster
from tests.integration.projector.stage import Stage
from tests.mutants.caught import Stages


@pytest.fixture
async def stages(cluster: Cluster) -> AsyncIterator[Stages]:
    """Two empty, migrated databases."""
    async with (
        cluster.database() as real,
        cluster.database() as mutant,
        Stage.on(real) as first,
        Stage.on(mutant) as second,
    ):
        yield Stages(first, second)
