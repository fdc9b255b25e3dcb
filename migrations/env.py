"""Alembic's entry: run the migrations on the connection that `migrations.__main__` hands over."""

from alembic import context

from migrations import compared, metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=True,
    include_object=compared,
)
with context.begin_transaction():
    context.run_migrations()
