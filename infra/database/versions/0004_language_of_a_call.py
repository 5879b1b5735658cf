"""The language in which a call goes on."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table calls add column language text check (length(language) between 1 and 64)")


def downgrade() -> None:
    op.execute("alter table calls drop column language")
