"""A stream says which versions an operator has passed over, so that whoever folds it again leaves them out, too."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"

# A projector neither reads nor writes it.
PROJECTORS_STOPPED: Final = False

# The audit has what took effect, and a version below the checkpoint that it does not have was skipped. Streams of which
# it has as many versions as are projected have none, so the others alone are looked through. Read before the table is
# locked for writers, into an ordinary table, for not every role may make temporary ones.
OF_AUDIT: Final = """
CREATE UNLOGGED TABLE skipped_by_audit AS
WITH audited AS (
  SELECT stream, sum(to_version - from_version + 1) AS versions FROM projection_audit GROUP BY stream
),
short AS (
  SELECT s.stream, s.projected FROM streams s LEFT JOIN audited ON audited.stream = s.stream
   WHERE s.projected > coalesce(audited.versions, 0)
)
SELECT short.stream, array_agg(version ORDER BY version) AS versions
  FROM short CROSS JOIN LATERAL generate_series(1, short.projected) AS version
 WHERE NOT EXISTS (
   SELECT FROM projection_audit a WHERE a.stream = short.stream AND version BETWEEN a.from_version AND a.to_version)
 GROUP BY short.stream
"""

OF_BEFORE: Final = """
UPDATE streams SET skipped = audit.versions FROM skipped_by_audit AS audit WHERE streams.stream = audit.stream
"""


def upgrade() -> None:
    op.execute(OF_AUDIT)
    op.add_column("streams", sa.Column("skipped", sa.ARRAY(sa.Integer()), nullable=True))
    op.execute(OF_BEFORE)
    op.drop_table("skipped_by_audit")


def downgrade() -> None:
    op.drop_column("streams", "skipped")
