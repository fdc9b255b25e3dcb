"""A projector says which ordering strategy it works by; NULL: it ended before it could say."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"


def upgrade() -> None:
    op.add_column("projectors", sa.Column("strategy", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("projectors", "strategy")
