"""What calls were about, for callers who call again soon: sealed, by keys that tell nobody who it was."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_MEMORIES = """
create table caller_memories (
    tenant_id  text not null,
    agent_id   text not null,
    caller     text not null check (caller ~ '^[0-9a-f]{64}$'),
    call_id    text not null check (length(call_id) between 1 and 128),
    key_id     text not null check (length(key_id) between 1 and 64),
    content    bytea not null check (length(content) <= 262144),
    kept_at    timestamptz not null,
    forget_at  timestamptz not null check (forget_at > kept_at),
    primary key (tenant_id, agent_id, caller),
    foreign key (tenant_id, agent_id) references agents on delete cascade
)
"""


def upgrade() -> None:
    op.execute(_MEMORIES)
    op.execute("create index caller_memories_age on caller_memories (forget_at)")


def downgrade() -> None:
    op.execute("drop table caller_memories")
