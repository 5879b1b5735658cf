"""What agents do by their tools: which calls of tools have begun, messages taken, calls back promised."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# No foreign key to calls: a step may run where a call is not on record. Rows live for a day.
_TOOL_CALLS = """
create table tool_calls (
    tenant_id    text not null references tenants,
    key          text not null check (length(key) between 1 and 256),
    call_id      text not null check (length(call_id) between 1 and 128),
    name         text not null check (length(name) between 1 and 64),
    arguments    jsonb not null check (jsonb_typeof(arguments) = 'object'),
    content      jsonb,
    failed       text,
    begun_at     timestamptz not null default clock_timestamp(),
    finished_at  timestamptz,
    primary key (tenant_id, key),
    constraint tool_calls_finished check ((finished_at is null) = (failed is null))
)
"""

_MESSAGES = """
create table messages_taken (
    tenant_id   text not null references tenants,
    message_id  text not null check (length(message_id) between 1 and 64),
    call_id     text not null check (length(call_id) between 1 and 128),
    agent_id    text not null check (length(agent_id) between 1 and 128),
    caller      text not null check (length(caller) <= 256),
    text        text not null check (length(text) between 1 and 2000),
    name        text not null check (length(name) <= 200),
    number      text not null check (length(number) <= 40),
    is_urgent   boolean not null,
    taken_at    timestamptz not null,
    handled_at  timestamptz,
    handled_by  text check (length(handled_by) between 1 and 256),
    primary key (tenant_id, message_id),
    constraint messages_taken_handled check ((handled_at is null) = (handled_by is null))
)
"""

_CALLBACKS = r"""
create table callbacks (
    tenant_id    text not null references tenants,
    callback_id  text not null check (length(callback_id) between 1 and 64),
    agent_id     text not null,
    promised_in  text not null check (length(promised_in) between 1 and 128),
    "to"         text not null check ("to" ~ '^\+[1-9][0-9]{1,14}$'),
    caller_id    text not null check (caller_id ~ '^\+[1-9][0-9]{1,14}$'),
    due_at       timestamptz not null,
    not_before   timestamptz not null,
    reason       text not null check (length(reason) <= 500),
    state        text not null default 'planned' check (state in ('planned', 'placed', 'failed', 'canceled')),
    call_id      text not null default '' check (length(call_id) <= 128),
    trouble      text not null default '' check (length(trouble) <= 64),
    created_at   timestamptz not null default clock_timestamp(),
    updated_at   timestamptz not null default clock_timestamp(),
    primary key (tenant_id, callback_id),
    foreign key (tenant_id, agent_id) references agents on delete cascade
)
"""

_INDEXES = (
    "create index tool_calls_oldest on tool_calls (begun_at)",
    "create index messages_taken_newest on messages_taken (tenant_id, taken_at desc, message_id)",
    "create index callbacks_due on callbacks (not_before) where state = 'planned'",
    "create index callbacks_of_tenant on callbacks (tenant_id, due_at desc, callback_id)",
    "create index calls_of_caller on calls (tenant_id, caller, started_at desc)",
    "create index calls_of_callee on calls (tenant_id, callee, started_at desc)",
)


def upgrade() -> None:
    for statement in (_TOOL_CALLS, _MESSAGES, _CALLBACKS, *_INDEXES):
        op.execute(statement)


def downgrade() -> None:
    for index in ("calls_of_caller", "calls_of_callee"):
        op.execute(f"drop index {index}")
    for table in ("callbacks", "messages_taken", "tool_calls"):
        op.execute(f"drop table {table}")
