"""How each agent behaves in a conversation, and what each turn took."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = (("agents", "manner"), ("turns", "costs"))


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.execute(
            f"alter table {table} add column {column} jsonb not null default '{{}}'"
            f" check (jsonb_typeof({column}) = 'object')"
        )


def downgrade() -> None:
    for table, column in _COLUMNS:
        op.execute(f"alter table {table} drop column {column}")
