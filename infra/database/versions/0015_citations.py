"""On which passages of documents a turn's answer rests."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table turns add column citations jsonb not null default '[]'")


def downgrade() -> None:
    op.execute("alter table turns drop column citations")
