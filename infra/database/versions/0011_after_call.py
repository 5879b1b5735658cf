"""What is made of a call when it is over, how long it is kept, and whom it is told.

An event that a tenant wants to be told of is written by the statement that makes it happen, so that none is lost.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_KINDS = ["call.started", "call.ended", "call.analysed"]
_EVENTS = f"({', '.join(map(repr, _KINDS))})"
_OF_CALL = "foreign key (tenant_id, call_id) references calls (tenant_id, call_id) on delete cascade"

_CALLS = (
    "alter table calls add column after_call_at timestamptz",
    "update calls set after_call_at = clock_timestamp() where ended_at is not null",
    "create index calls_unfinished on calls (ended_at) where after_call_at is null",
    "alter table calls add column recording_until timestamptz",
    "alter table calls add column transcript_until timestamptz",
    "alter table calls add column raw_until timestamptz",
    "create index calls_without_retention on calls (ended_at)"
    " where ended_at is not null and transcript_until is null",
    "create index calls_recording_until on calls (recording_until) where recording_until < 'infinity'",
    "create index calls_transcript_until on calls (transcript_until) where transcript_until < 'infinity'",
)

_ANALYSES = f"""
create table call_analyses (
    tenant_id      text not null,
    call_id        text not null,
    document       jsonb check (jsonb_typeof(document) = 'object'),
    fault          text check (length(fault) between 1 and 500),
    model          text not null default '' check (length(model) <= 200),
    questions      integer not null default 0 check (questions >= 0),
    input_tokens   bigint not null default 0 check (input_tokens >= 0),
    output_tokens  bigint not null default 0 check (output_tokens >= 0),
    created_at     timestamptz not null default clock_timestamp(),
    primary key (tenant_id, call_id),
    {_OF_CALL},
    constraint call_analyses_whole check ((document is null) <> (fault is null))
)
"""

_RAW = f"""
create table raw_transcripts (
    tenant_id   text not null,
    call_id     text not null,
    key_id      text not null check (length(key_id) between 1 and 64),
    sealed      bytea not null,
    created_at  timestamptz not null default clock_timestamp(),
    primary key (tenant_id, call_id),
    {_OF_CALL}
)
"""

_ENDPOINTS = f"""
create table webhook_endpoints (
    tenant_id        text not null references tenants,
    endpoint_id      text not null check (length(endpoint_id) between 1 and 64),
    url              text not null check (length(url) between 1 and 2000),
    events           text[] not null check (cardinality(events) >= 1 and events <@ array{_KINDS}),
    key_id           text not null check (length(key_id) between 1 and 64),
    sealed           bytea not null,
    failures         integer not null default 0 check (failures >= 0),
    disabled_reason  text check (length(disabled_reason) between 1 and 64),
    created_at       timestamptz not null default clock_timestamp(),
    updated_at       timestamptz not null default clock_timestamp(),
    primary key (tenant_id, endpoint_id)
)
"""

_EVENT_ROWS = f"""
create table webhook_events (
    event_id     text primary key default 'evt_' || replace(gen_random_uuid()::text, '-', ''),
    tenant_id    text not null,
    call_id      text not null,
    kind         text not null check (kind in {_EVENTS}),
    happened_at  timestamptz not null default clock_timestamp(),
    told_at      timestamptz,
    {_OF_CALL}
)
"""

_DELIVERIES = f"""
create table webhook_deliveries (
    tenant_id    text not null,
    delivery_id  text not null check (length(delivery_id) between 1 and 128),
    endpoint_id  text not null,
    event_id     text not null,
    call_id      text not null,
    kind         text not null check (kind in {_EVENTS}),
    body         text not null,
    state        text not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
    attempts     integer not null default 0 check (attempts >= 0),
    last_status  integer not null default 0 check (last_status between 0 and 999),
    last_fault   text not null default '' check (length(last_fault) <= 200),
    created_at   timestamptz not null default clock_timestamp(),
    updated_at   timestamptz not null default clock_timestamp(),
    primary key (tenant_id, delivery_id),
    unique (tenant_id, endpoint_id, event_id),
    foreign key (tenant_id, endpoint_id) references webhook_endpoints on delete cascade,
    {_OF_CALL}
)
"""

_INDEXES = (
    "create index raw_transcripts_key on raw_transcripts (key_id)",
    "create index webhook_events_untold on webhook_events (happened_at) where told_at is null",
    "create index webhook_events_of_call on webhook_events (tenant_id, call_id)",
    "create index webhook_deliveries_newest on webhook_deliveries (tenant_id, state, created_at desc)",
    "create index webhook_deliveries_pending on webhook_deliveries (updated_at) where state = 'pending'",
    "create index webhook_deliveries_of_call on webhook_deliveries (tenant_id, call_id)",
    "create index webhook_deliveries_age on webhook_deliveries (created_at)",
)


def upgrade() -> None:
    for statement in (*_CALLS, _ANALYSES, _RAW, _ENDPOINTS, _EVENT_ROWS, _DELIVERIES, *_INDEXES):
        op.execute(statement)


def downgrade() -> None:
    for table in ("webhook_deliveries", "webhook_events", "webhook_endpoints", "raw_transcripts", "call_analyses"):
        op.execute(f"drop table {table}")
    for column in ("raw_until", "transcript_until", "recording_until", "after_call_at"):
        op.execute(f"alter table calls drop column {column}")
