"""Agents as documents: drafted, published as versions that never change, and pinned to calls.

What the columns of `agents` said becomes version 1. The columns stay for the release before this one, which answers
calls until the next one is deployed.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0006"
branch_labels = None
depends_on = None

_VERSIONS = """
create table agent_versions (
    tenant_id   text not null,
    agent_id    text not null,
    version     integer not null check (version >= 1),
    document    jsonb not null check (jsonb_typeof(document) = 'object'),
    note        text not null default '' check (length(note) <= 500),
    created_by  text not null check (length(created_by) <= 256),
    created_at  timestamptz not null default clock_timestamp(),
    primary key (tenant_id, agent_id, version),
    foreign key (tenant_id, agent_id) references agents on delete cascade
)
"""

_PUBLICATIONS = """
create table agent_publications (
    tenant_id     text not null,
    agent_id      text not null,
    sequence      bigint generated always as identity,
    version       integer not null,
    published_by  text not null check (length(published_by) <= 256),
    published_at  timestamptz not null default clock_timestamp(),
    primary key (tenant_id, agent_id, sequence),
    foreign key (tenant_id, agent_id, version) references agent_versions on delete cascade
)
"""

_AGENTS = (
    "alter table agents add column draft jsonb check (jsonb_typeof(draft) = 'object')",
    "alter table agents add column draft_revision integer not null default 0 check (draft_revision >= 0)",
    "alter table agents add column published integer",
)

_FIRST_VERSIONS = """
insert into agent_versions (tenant_id, agent_id, version, document, note, created_by)
select tenant_id, agent_id, 1,
    jsonb_build_object('name', name, 'persona', persona, 'greeting', greeting, 'language', language, 'voice', voice,
        'patience_ms', patience_ms, 'silence_limit_s', silence_limit_s, 'interruptible', interruptible,
        'manner', (manner - 'delegate') || case when manner -> 'delegate' -> 'samvaad' is null then '{}'::jsonb
            else jsonb_build_object('delegate', manner -> 'delegate' -> 'samvaad' || '{"platform": "samvaad"}') end),
    'as it was', 'migration'
from agents
"""

_POINTED = (
    "update agents set published = 1",
    "alter table agents add foreign key (tenant_id, agent_id, published) references agent_versions",
    "alter table calls add column agent_version integer check (agent_version >= 0)",
)


def upgrade() -> None:
    for statement in (_VERSIONS, _PUBLICATIONS, *_AGENTS, _FIRST_VERSIONS, *_POINTED):
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table calls drop column agent_version")
    for column in ("published", "draft_revision", "draft"):
        op.execute(f"alter table agents drop column {column}")
    op.execute("drop table agent_publications")
    op.execute("drop table agent_versions")
