"""The event at which the serial cursor failed, and what a projector counts for itself."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"

COUNTERS: Final = ("sessions", "fenced", "time_limits")
CONNECTIONS: Final = ("connections_open", "connections_used", "connections_awaited")

# Until now the text of the error alone had them.
NAME_WHAT_FAILED: Final = r"""
UPDATE cursors
   SET stream = substring(error from '^stream (.*?), version \d+: '),
       version = substring(error from '^stream .*?, version (\d+): ')::int
 WHERE error ~ '^stream .*?, version \d+: '
"""


def upgrade() -> None:
    op.add_column("cursors", sa.Column("stream", sa.Text(collation="C"), nullable=True))
    op.add_column("cursors", sa.Column("version", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_cursors_event"), "cursors", "(stream IS NULL) = (version IS NULL)")
    op.execute(NAME_WHAT_FAILED)
    for name in COUNTERS:
        op.add_column("projectors", sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("projectors", sa.Column("listening", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    for name in CONNECTIONS:
        op.add_column("projectors", sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    for name in (*COUNTERS, "listening", *CONNECTIONS):
        op.drop_column("projectors", name)
    op.drop_constraint(op.f("ck_cursors_event"), "cursors")
    op.drop_column("cursors", "version")
    op.drop_column("cursors", "stream")
