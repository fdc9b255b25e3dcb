"""A projector says by which event handler it works and which read models it keeps; NULL: it ended before it could."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"

NAMES: Final = ("handler", "read_models")


def upgrade() -> None:
    for name in NAMES:
        op.add_column("projectors", sa.Column(name, sa.Text(), nullable=True))


def downgrade() -> None:
    for name in NAMES:
        op.drop_column("projectors", name)
