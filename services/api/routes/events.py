"""`GET /events`: the whole log, page by page, in the global order (feed with a cursor on the position).

Each page ends at the *safe position* (`eventstore.visibility.safe_position`), whatever the projectors' strategy is. So
a reader that goes on from the last position it has seen misses no event, not even one that commits late with a lower
position. While a writer is under way, what comes after its announcement is told later, not out of order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Request, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from eventstore.contract import EventStore
from eventstore.events import Position, StoredEvent
from services.api.http.bodies import EventDocument, EventPage
from services.api.http.openapi import LogOperation, refusals
from services.api.http.requests import MAX_PAGE, MAX_POSITION, shard_of
from services.api.refusals import MalformedRequest

Limit = Annotated[int, Parameter(ge=1, le=MAX_PAGE, description="events on a page")]
After = Annotated[
    int,
    Parameter(ge=0, le=MAX_POSITION, description="the position before the page; `next` of the last, 0 for the first"),
]


def events_route(stores: Sequence[EventStore]) -> HTTPRouteHandler:
    """The route of `/events`."""

    @get(
        "/events",
        operation_class=LogOperation,
        responses=refusals(404),
        tags=["log"],
        summary="A page of the log, in the global order",
    )
    async def read_log(request: Request[Any, Any, Any], limit: Limit = 100, after: After = 0) -> EventPage:
        """Committed events before which nothing can still commit. The last page's `next` is null; more may follow.

        Each shard has a log of its own, and positions compare within it alone: where there are several, one is named.
        """
        events = await _log(stores, shard_of(request)).read_log(after=Position(after), limit=limit)
        return EventPage([_document(event) for event in events], events[-1].position if len(events) == limit else None)

    return read_log


def _log(stores: Sequence[EventStore], number: int | None) -> EventStore:
    if number is None and len(stores) > 1:
        raise MalformedRequest(f"there are {len(stores)} shards, each with a log of its own: say whose, as in shard=0")
    if number is not None and number >= len(stores):
        raise NotFoundException(f"there is no shard {number}: there are {len(stores)}, counted from 0 on")
    return stores[number or 0]


def _document(event: StoredEvent) -> EventDocument:
    return EventDocument(event.position, event.stream, event.version, event.type, event.data, event.recorded_at)
