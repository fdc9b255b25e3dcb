"""Make the tables of events, tracking records and todos, which the library does when a recorder is constructed."""

from __future__ import annotations

from domain import Todos, environment
from view import open_view

if __name__ == "__main__":
    with Todos(environment()):
        pass
    open_view().datastore.close()
