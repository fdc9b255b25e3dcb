"""Time limit taken for poison: a lock or a limit of the server's is counted against the event that it met."""

from __future__ import annotations

from typing import Final

from tests.mutants.test_passing import BlamesEvent

SERIAL: Final = True
COSTLY_HANDLER: Final = True
LEASES: Final = True

MAKE: Final = BlamesEvent
