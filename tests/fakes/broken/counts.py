"""Breaks of the rules of `/stats`."""

from __future__ import annotations

from tests.fakes.broken.breaking import (
    edits,
)
from tests.fakes.todo_server import FakeTodoServer


def _gone(server: FakeTodoServer) -> int:
    return sum(row.deleted for row in server.rows.values())


edits(
    "stats-event-count",
    "stats",
    lambda server, told: (
        told | {"eventCount": told["eventCount"] - sum(stream.deleted for stream in server.streams.values())}
    ),
)
edits(
    "stats-projected",
    "stats",
    lambda server, told: told | {"totalEventsProjected": told["totalEventsProjected"] + _gone(server)},
)
edits("stats-total-todos", "stats", lambda server, told: told | {"totalTodos": told["totalTodos"] - _gone(server)})
edits("stats-active-todos", "stats", lambda _, told: told | {"activeTodos": told["totalTodos"]})
edits("stats-backlog-0", "stats", lambda _, told: told | {"backlog": told["backlog"] + 1})
edits("stats-fields", "stats", lambda _, told: told | {"totalTodos": "3"})
edits("stats-optional", "stats", lambda _, told: told | {"blockedStreams": "none"})
# What is not yet projected when a check takes its first count moves it afterwards.
edits(
    "stats-backlog-honest",
    "stats",
    lambda _, told: told | {"backlog": 0},
    "stats-projected",
    "stats-total-todos",
    "stats-active-todos",
    late=True,
)
