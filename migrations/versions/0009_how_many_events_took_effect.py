"""A todo says how many events took effect in it: so many as the audit has of its stream."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"

# A projector of before would raise the version of a row and not this number, and could insert none.
PROJECTORS_STOPPED: Final = True

# Read before the table is locked for readers, too. An event that was skipped is not in the audit, and one that took
# effect twice is there twice. An ordinary table, for not every role may make temporary ones.
OF_AUDIT: Final = """
CREATE UNLOGGED TABLE applied_by_audit AS
SELECT stream, sum(to_version - from_version + 1)::integer AS applied FROM projection_audit GROUP BY stream
"""

# A row of which the audit says nothing was made by hand.
OF_BEFORE: Final = """
UPDATE todos SET applied = coalesce(audit.applied, todos.version)
  FROM todos AS t LEFT JOIN applied_by_audit AS audit ON audit.stream = t.id
 WHERE todos.id = t.id
"""


def upgrade() -> None:
    op.execute(OF_AUDIT)
    op.execute("ANALYZE applied_by_audit")
    op.add_column("todos", sa.Column("applied", sa.Integer(), nullable=True))
    op.execute(OF_BEFORE)
    op.alter_column("todos", "applied", nullable=False)
    op.drop_table("applied_by_audit")


def downgrade() -> None:
    op.drop_column("todos", "applied")
