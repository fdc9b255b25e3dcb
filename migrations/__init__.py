"""The schema's history. All tables of the store and the read models, joined in one metadata."""

from typing import Any

from sqlalchemy import MetaData

from eventstore.schema import metadata as store
from todo.read_models.activity import metadata as activity
from todo.read_models.todos import metadata as read_model

metadata: list[MetaData] = [store, read_model, activity]


def compared(_object: Any, name: str | None, *_: object) -> bool:
    """Whether Alembic compares an object with the database.

    This index has a collation of its own, which reflection does not tell, so it would always look changed.
    """
    return name != "ix_todos_active"
