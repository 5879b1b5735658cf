"""What providers have recorded of a call: each recording, where it lies, and whether we have it too."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_RECORDINGS = """
create table provider_recordings (
    tenant_id    text not null,
    call_id      text not null,
    name         text not null check (length(name) between 1 and 200),
    url          text not null check (length(url) between 1 and 2000),
    state        text not null check (state in ('announced', 'kept', 'elsewhere', 'lost')),
    duration_ms  bigint check (duration_ms >= 0),
    container    text check (length(container) between 1 and 63),
    blob         text check (length(blob) between 1 and 1024),
    created_at   timestamptz not null default clock_timestamp(),
    updated_at   timestamptz not null default clock_timestamp(),
    primary key (tenant_id, call_id, name),
    foreign key (tenant_id, call_id) references calls (tenant_id, call_id) on delete cascade,
    constraint provider_recordings_kept
        check ((state = 'kept') = (blob is not null) and (blob is null) = (container is null))
)
"""

_ANNOUNCED = (
    "create index provider_recordings_announced on provider_recordings (created_at) where state = 'announced'"
)

_ADDRESSES = (
    "insert into provider_recordings (tenant_id, call_id, name, url, state)"
    " select tenant_id, call_id, 'recording:' || md5(provider_recording), provider_recording, 'announced'"
    " from calls where provider_recording is not null"
)
"""The column of the addresses stays: the release before this one still writes it until the next one is deployed."""


def upgrade() -> None:
    for statement in (_RECORDINGS, _ANNOUNCED, _ADDRESSES):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table provider_recordings")
