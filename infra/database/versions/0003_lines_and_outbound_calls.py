"""Numbers of several providers, each on a line; the full course of a call; what each tenant may dial.

A call of ours has no id of the provider's until it is dialled. Each attempt to dial is on record before the provider
is asked, so that it is never asked twice.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_IDENTIFIER = r"'^[!-~]{1,128}$'"
_E164 = r"'^\+[1-9][0-9]{1,14}$'"
_LINES = (
    "('web', 'twilio', 'twilio-relay', 'twilio-gather', 'vonage', 'vonage-input', 'connect', 'connect-lex', 'sarvam')"
)
_OPEN = "('created', 'queued', 'ringing', 'in_progress')"
_ENDS = "('completed', 'busy', 'no_answer', 'canceled', 'failed')"

_NUMBERS = (
    "alter table numbers add column provider text not null default 'twilio'",
    "alter table numbers add column line text not null default 'twilio'",
    f"alter table numbers add constraint numbers_line check (line in {_LINES} and line <> 'web')",
    "alter table numbers add constraint numbers_line_of_provider check (split_part(line, '-', 1) = provider)",
    "alter table numbers drop constraint numbers_pkey",
    "alter table numbers add primary key (provider, number)",
)

# The release before this one still answers calls until the next one is deployed, and writes no line.
_CALLS = (
    "alter table calls add column line text",
    "update calls set line = provider",
    f"alter table calls add constraint calls_line check (line in {_LINES})",
    "alter table calls add constraint calls_line_of_provider check (split_part(line, '-', 1) = provider)",
    "alter table calls add column answered_by text check (answered_by in ('unknown', 'human', 'machine', 'fax'))",
    "alter table calls add column duration_s double precision check (duration_s >= 0)",
    "alter table calls add column price text check (length(price) between 1 and 64)",
    "alter table calls add column provider_recording text check (length(provider_recording) between 1 and 2000)",
    "alter table calls drop constraint calls_state_check",
    "alter table calls drop constraint calls_end",
    f"alter table calls add constraint calls_state_check check (state in {_OPEN} or state in {_ENDS})",
    f"alter table calls add constraint calls_end check ((state in {_ENDS}) = (ended_at is not null))",
    "alter table calls alter column provider_call_id drop not null",
    "alter table calls add constraint calls_provider_call_id_known"
    " check (provider_call_id is not null or direction = 'outbound')",
    f"create index calls_open on calls (started_at) where state in {_OPEN}",
)

_POLICIES = r"""
create table outbound_policies (
    tenant_id      text primary key references tenants,
    prefixes       text[] not null default '{}'
        check (array_to_string(prefixes, ' ') ~ '^(\+[1-9][0-9]{0,14}( |$))*$'),
    time_zone      text not null default 'UTC' check (length(time_zone) between 1 and 64),
    weekdays       smallint[] not null default '{1,2,3,4,5,6,7}' check (weekdays <@ '{1,2,3,4,5,6,7}'),
    from_minute    integer not null default 0 check (from_minute between 0 and 1439),
    until_minute   integer not null default 1440 check (until_minute between 1 and 1440),
    most_at_once   integer not null default 0 check (most_at_once between 0 and 10000),
    longest_s      integer not null default 900 check (longest_s between 60 and 14400),
    daily_spend    numeric(12, 4) not null default 0 check (daily_spend >= 0),
    minute_prices  jsonb not null default '{}' check (jsonb_typeof(minute_prices) = 'object'),
    reservations   bigint not null default 0,
    created_at     timestamptz not null default clock_timestamp(),
    updated_at     timestamptz not null default clock_timestamp(),
    constraint outbound_policies_window check (from_minute < until_minute)
)
"""

_ATTEMPTS = f"""
create table dial_attempts (
    attempt_id       text primary key check (attempt_id ~ {_IDENTIFIER}),
    tenant_id        text not null,
    call_id          text not null,
    state            text not null check (state in ('planned', 'dialling', 'dialled', 'uncertain', 'failed')),
    idempotency_key  text check (length(idempotency_key) between 1 and 200),
    fingerprint      text not null,
    ring_s           integer not null check (ring_s between 5 and 120),
    longest_s        integer not null check (longest_s >= 60),
    voicemail        text not null check (voicemail in ('ignore', 'hang_up', 'leave_message')),
    message          text not null default '' check (length(message) <= 1000),
    minute_price     numeric(12, 4) not null check (minute_price >= 0),
    created_at       timestamptz not null default clock_timestamp(),
    updated_at       timestamptz not null default clock_timestamp(),
    unique (tenant_id, call_id),
    unique (tenant_id, idempotency_key),
    foreign key (tenant_id, call_id) references calls (tenant_id, call_id) on delete cascade
)
"""

_NEWEST_ATTEMPTS = "create index dial_attempts_newest on dial_attempts (tenant_id, created_at)"

_NUMBERS_BACK = (
    "delete from numbers where provider <> 'twilio'",
    "alter table numbers drop constraint numbers_pkey",
    "alter table numbers add primary key (number)",
    "alter table numbers drop constraint numbers_line_of_provider",
    "alter table numbers drop constraint numbers_line",
    "alter table numbers drop column line",
    "alter table numbers drop column provider",
)

_CALLS_BACK = (
    "drop index calls_open",
    "alter table calls drop constraint calls_provider_call_id_known",
    "update calls set provider_call_id = call_id where provider_call_id is null",
    "alter table calls alter column provider_call_id set not null",
    "alter table calls drop constraint calls_end",
    "alter table calls drop constraint calls_state_check",
    "update calls set state = 'ringing' where state in ('created', 'queued')",
    "update calls set state = 'failed' where state in ('busy', 'no_answer', 'canceled')",
    "alter table calls add constraint calls_state_check"
    " check (state in ('ringing', 'in_progress', 'completed', 'failed'))",
    "alter table calls add constraint calls_end check ((state in ('completed', 'failed')) = (ended_at is not null))",
    "alter table calls drop constraint calls_line_of_provider",
    "alter table calls drop constraint calls_line",
    *(
        f"alter table calls drop column {column}"
        for column in ("provider_recording", "price", "duration_s", "answered_by", "line")
    ),
)


def upgrade() -> None:
    for statement in (*_NUMBERS, *_CALLS, _POLICIES, _ATTEMPTS, _NEWEST_ATTEMPTS):
        op.execute(statement)


def downgrade() -> None:
    for statement in ("drop table dial_attempts", "drop table outbound_policies", *_CALLS_BACK, *_NUMBERS_BACK):
        op.execute(statement)
