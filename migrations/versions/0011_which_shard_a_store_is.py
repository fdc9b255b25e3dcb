"""A store says which shard it is, and the shard of each hash slot. `migrate` writes the row, and nobody changes it."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0011"
down_revision: Final = "0010"

# A projector only looks at it.
PROJECTORS_STOPPED: Final = False

ONE_OF_SEVERAL: Final = """
SELECT refuse('this store is one of several shards, of which revision 0010 knows nothing')
  FROM shard WHERE EXISTS (SELECT FROM unnest(hash_slots) AS known(number) WHERE known.number > 0)
"""


def upgrade() -> None:
    op.create_table(
        "shard",
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("hash_slots", sa.ARRAY(sa.SmallInteger()), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_shard")),
        sa.CheckConstraint("cardinality(hash_slots) = 256", name=op.f("ck_shard_hash_slots")),
    )


def downgrade() -> None:
    op.execute(ONE_OF_SEVERAL)
    op.drop_table("shard")
