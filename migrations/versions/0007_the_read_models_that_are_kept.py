"""The store says by which list of read models its checkpoints were made."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"

# Nothing said so until now. `todos` was always among them, and who kept `activity` has rows of it.
OF_BEFORE: Final = """
INSERT INTO kept_read_models (projection, read_models)
SELECT 'todos', CASE WHEN EXISTS (SELECT FROM activity) THEN '{todos,activity}' ELSE '{todos}' END ::text[]
 WHERE EXISTS (SELECT FROM streams WHERE projected > 0) OR EXISTS (SELECT FROM cursors WHERE position > 0)
"""


def upgrade() -> None:
    op.create_table(
        "kept_read_models",
        sa.Column("projection", sa.Text(), nullable=False),
        sa.Column("read_models", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("becoming", sa.ARRAY(sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("projection", name=op.f("pk_kept_read_models")),
    )
    op.execute(OF_BEFORE)


def downgrade() -> None:
    op.drop_table("kept_read_models")
