"""Tenants with their agents and numbers; calls with their turns and transcripts.

Every row of a tenant bears the tenant's id, and every reference includes it: a row cannot point at another
tenant's row, whatever the code above does. Ids are text, since they come from outside (a carrier, an identity
provider), and are bounded.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_IDENTIFIER = r"'^[!-~]{1,128}$'"
_E164 = r"'^\+[1-9][0-9]{1,14}$'"

_TENANTS = f"""
create table tenants (
    tenant_id   text primary key check (tenant_id ~ {_IDENTIFIER}),
    slug        text not null unique check (slug ~ '^[a-z][a-z0-9-]{{0,62}}$'),
    name        text not null check (length(name) between 1 and 200),
    created_at  timestamptz not null default clock_timestamp(),
    updated_at  timestamptz not null default clock_timestamp()
)
"""

_AGENTS = f"""
create table agents (
    tenant_id        text not null references tenants,
    agent_id         text not null check (agent_id ~ {_IDENTIFIER}),
    name             text not null check (length(name) between 1 and 200),
    persona          text not null,
    greeting         text not null,
    language         text not null default 'en' check (language ~ '^[a-z]{{2,3}}(-[A-Za-z0-9]{{2,8}})*$'),
    voice            text not null default 'default' check (length(voice) between 1 and 100),
    patience_ms      integer not null default 700 check (patience_ms between 100 and 10000),
    silence_limit_s  integer not null default 60 check (silence_limit_s between 1 and 3600),
    interruptible    boolean not null default true,
    created_at       timestamptz not null default clock_timestamp(),
    updated_at       timestamptz not null default clock_timestamp(),
    primary key (tenant_id, agent_id)
)
"""

_NUMBERS = f"""
create table numbers (
    number      text primary key check (number ~ {_E164}),
    tenant_id   text not null,
    agent_id    text not null,
    created_at  timestamptz not null default clock_timestamp(),
    updated_at  timestamptz not null default clock_timestamp(),
    foreign key (tenant_id, agent_id) references agents
)
"""

# A carrier's caller may be no number at all ("anonymous", a SIP address); what begins as one must be one.
_CALLS = f"""
create table calls (
    call_id                text primary key check (call_id ~ {_IDENTIFIER}),
    tenant_id              text not null,
    agent_id               text not null,
    provider               text not null check (provider ~ '^[a-z][a-z0-9_]{{0,31}}$'),
    provider_call_id       text not null check (length(provider_call_id) between 1 and 200),
    direction              text not null check (direction in ('inbound', 'outbound')),
    caller                 text not null check (length(caller) <= 256),
    callee                 text not null check (length(callee) <= 256),
    state                  text not null check (state in ('ringing', 'in_progress', 'completed', 'failed')),
    started_at             timestamptz not null,
    ended_at               timestamptz,
    end_reason             text check (end_reason ~ '^[a-z][a-z0-9_]{{0,63}}$'),
    recording_container    text,
    recording_blob         text,
    recording_duration_ms  bigint check (recording_duration_ms >= 0),
    created_at             timestamptz not null default clock_timestamp(),
    updated_at             timestamptz not null default clock_timestamp(),
    unique (tenant_id, call_id),
    unique (provider, provider_call_id),
    foreign key (tenant_id, agent_id) references agents,
    constraint calls_caller_e164 check (caller !~ '^\\+' or caller ~ {_E164}),
    constraint calls_callee_e164 check (callee !~ '^\\+' or callee ~ {_E164}),
    constraint calls_end check ((state in ('completed', 'failed')) = (ended_at is not null)),
    constraint calls_end_reason check (ended_at is not null or end_reason is null),
    constraint calls_recording_whole check (
        num_nulls(recording_container, recording_blob, recording_duration_ms) in (0, 3))
)
"""

_TURNS = """
create table turns (
    tenant_id   text not null,
    call_id     text not null,
    number      integer not null check (number >= 0),
    heard       text,
    said        text not null,
    outcome     text not null check (outcome in ('running', 'completed', 'interrupted', 'failed', 'unheard')),
    moments     jsonb not null default '{}' check (jsonb_typeof(moments) = 'object'),
    created_at  timestamptz not null default clock_timestamp(),
    updated_at  timestamptz not null default clock_timestamp(),
    primary key (tenant_id, call_id, number),
    foreign key (tenant_id, call_id) references calls (tenant_id, call_id) on delete cascade
)
"""

_TRANSCRIPTS = """
create table transcripts (
    tenant_id   text not null,
    call_id     text not null,
    content     text not null,
    created_at  timestamptz not null default clock_timestamp(),
    updated_at  timestamptz not null default clock_timestamp(),
    primary key (tenant_id, call_id),
    foreign key (tenant_id, call_id) references calls (tenant_id, call_id) on delete cascade
)
"""

_INDEXES = (
    "create index agents_oldest on agents (tenant_id, created_at, agent_id)",
    "create index numbers_of_agent on numbers (tenant_id, agent_id)",
    "create index calls_newest on calls (tenant_id, started_at desc, call_id desc)",
    "create index calls_newest_in_state on calls (tenant_id, state, started_at desc, call_id desc)",
    "create index calls_of_agent on calls (tenant_id, agent_id)",
    "create index calls_of_provider on calls (tenant_id, provider_call_id)",
)


def upgrade() -> None:
    for statement in (_TENANTS, _AGENTS, _NUMBERS, _CALLS, _TURNS, _TRANSCRIPTS, *_INDEXES):
        op.execute(statement)


def downgrade() -> None:
    for table in ("transcripts", "turns", "calls", "numbers", "agents", "tenants"):
        op.execute(f"drop table {table}")
