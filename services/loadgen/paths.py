"""Paths of the Todo contract with a client's ids in them, percent-encoded (RFC 3986): an id is data, never syntax.

Ids are the target's own: one with a space, a slash, a line break or letters beyond ASCII is one segment of a path.
"""

from __future__ import annotations

from urllib.parse import quote


def todo_path(id: str) -> str:
    """One todo."""
    return f"/todos/{_encoded(id)}"


def page_path(limit: int, after: str | None = None) -> str:
    """A page of todos, from the first one on or after an id."""
    return f"/todos?limit={limit}&after={_encoded(after)}" if after else f"/todos?limit={limit}"


def _encoded(id: str) -> str:
    return quote(id, safe="", errors="surrogatepass")
