"""A todo says how many events took effect in it: so many as the audit has of its stream."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"

# An event that was skipped is not in the audit, and one that took effect twice is there twice. A row of which the audit
# says nothing was made by hand.
OF_BEFORE: Final = """
UPDATE todos SET applied = coalesce(audit.applied, todos.version)
  FROM todos AS t LEFT JOIN (
    SELECT stream, sum(to_version - from_version + 1) AS applied FROM projection_audit GROUP BY stream
  ) AS audit ON audit.stream = t.id
 WHERE todos.id = t.id
"""


def upgrade() -> None:
    op.add_column("todos", sa.Column("applied", sa.Integer(), nullable=True))
    op.execute(OF_BEFORE)
    op.alter_column("todos", "applied", nullable=False)


def downgrade() -> None:
    op.drop_column("todos", "applied")
