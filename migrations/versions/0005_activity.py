"""Read model `activity`: todos created, updated and deleted, by minute."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"

COUNTERS: Final = ("created", "updated", "deleted")


def upgrade() -> None:
    op.create_table(
        "activity",
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTERS),
        sa.PrimaryKeyConstraint("minute", "slot", name=op.f("pk_activity")),
        postgresql_with={"fillfactor": 50},
    )


def downgrade() -> None:
    op.drop_table("activity")
