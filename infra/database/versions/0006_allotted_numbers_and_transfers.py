"""Whose a number is, apart from who answers on it; and the other ends of transfers, which cost money as calls do.

Numbers that are set up already are their tenants'.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_E164 = r"'^\+[1-9][0-9]{1,14}$'"

_ALLOTMENTS = f"""
create table number_allotments (
    provider    text not null check (provider in ('twilio', 'vonage', 'connect', 'sarvam')),
    number      text not null check (number ~ {_E164}),
    tenant_id   text not null references tenants,
    created_at  timestamptz not null default clock_timestamp(),
    updated_at  timestamptz not null default clock_timestamp(),
    primary key (provider, number)
)
"""
_ALLOTTED = (
    "insert into number_allotments (provider, number, tenant_id) select provider, number, tenant_id from numbers"
)

_LEGS = f"""
create table transfer_legs (
    leg_id        text primary key,
    tenant_id     text not null,
    call_id       text not null,
    number        text not null check (number ~ {_E164}),
    ring_s        integer not null check (ring_s between 5 and 120),
    longest_s     integer not null check (longest_s >= 60),
    minute_price  numeric(12, 4) not null check (minute_price >= 0),
    created_at    timestamptz not null,
    over_at       timestamptz,
    foreign key (tenant_id, call_id) references calls (tenant_id, call_id) on delete cascade
)
"""
_NEWEST_LEGS = "create index transfer_legs_newest on transfer_legs (tenant_id, created_at)"
_LEGS_OF_CALL = "create index transfer_legs_of_call on transfer_legs (tenant_id, call_id)"


def upgrade() -> None:
    for statement in (_ALLOTMENTS, _ALLOTTED, _LEGS, _NEWEST_LEGS, _LEGS_OF_CALL):
        op.execute(statement)


def downgrade() -> None:
    for table in ("transfer_legs", "number_allotments"):
        op.execute(f"drop table {table}")
