"""Time limits of an orderly end, from the inside out; each outer one is made of those that it waits for.

All in seconds. The bench's whole end fits into `RUN_S`, whoever does not react.
"""

from __future__ import annotations

from typing import Final

MARGIN_S: Final = 1.0

LAST_WORD_S: Final = 3.0
"""For Locust, told to stop, to hand over what it found."""
REPORT_S: Final = 2.0
"""For the visibility probe, told to finish, to do the same."""
CHILD_S: Final = 3.0
"""From SIGTERM to SIGKILL for a process of the load generator; all of them at once."""
LOADGEN_S: Final = LAST_WORD_S + REPORT_S + CHILD_S + MARGIN_S

REQUEST_S: Final = 15.0
"""For requests that the API has under way at SIGTERM; longer than the longest wait of `GET /todos/{id}`."""
SERVICE_S: Final = REQUEST_S + MARGIN_S

PROCESSES_S: Final = max(LOADGEN_S, SERVICE_S)
"""From SIGTERM to SIGKILL for the processes of a run; all of them at once."""

FAST_S: Final = 3.0
"""For Postgres after SIGINT: it breaks off what is under way and writes a checkpoint."""
IMMEDIATE_S: Final = 6.0
"""For Postgres after SIGQUIT: it kills children that do not react after five seconds, and removes shared memory."""
POSTGRES_S: Final = FAST_S + IMMEDIATE_S + MARGIN_S

RUN_S: Final = PROCESSES_S + POSTGRES_S + MARGIN_S
