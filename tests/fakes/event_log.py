"""The log of a fake: a list of events in the order of their positions."""

from __future__ import annotations

from typing import Any


class EventLog:
    """Events as `GET /events` shows them."""

    def __init__(self) -> None:
        self._events: list[dict[str, Any]] = []

    def append(self, position: int, stream: str, version: int, text: str | None, recorded_at: str) -> None:
        """An event at the end. Without a text it is a deletion."""
        kind = "TodoDeleted" if text is None else "TodoCreated" if version == 1 else "TodoUpdated"
        data = {} if text is None else {"text": text}
        event = {"stream": stream, "version": version, "type": kind, "data": data, "recordedAt": recorded_at}
        self._events.append({"position": position, **event})

    def exchange_last_two(self, stream: str) -> None:
        """The last two events of a stream take each other's places."""
        one, other = [place for place, event in enumerate(self._events) if event["stream"] == stream][-2:]
        first, second = self._events[one], self._events[other]
        self._events[one] = {**second, "position": first["position"]}
        self._events[other] = {**first, "position": second["position"]}

    def page(self, after: int, limit: int) -> dict[str, Any]:
        """The document of GET /events."""
        found = [event for event in self._events if event["position"] > after][:limit]
        return {"events": found, "next": found[-1]["position"] if len(found) == limit else None}
