"""The schema's history. All tables of the store and the read model, joined in one metadata."""

from sqlalchemy import MetaData

from eventstore.schema import metadata as store
from todo.read_model import metadata as read_model

metadata: list[MetaData] = [store, read_model]
