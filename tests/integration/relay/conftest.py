"""A relay between plain sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.relay.sockets import Place


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with Place.made() as place:
        yield place
