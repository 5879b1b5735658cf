"""What language models cost: tokens and money by tenant, day and model."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Money in millionths of a cent: an answer costs less than a cent.
_USAGE = """
create table model_usage (
    tenant_id      text not null references tenants,
    day            date not null,
    provider       text not null check (length(provider) between 1 and 64),
    model          text not null check (length(model) between 1 and 200),
    answers        bigint not null check (answers >= 0),
    input_tokens   bigint not null check (input_tokens >= 0),
    output_tokens  bigint not null check (output_tokens >= 0),
    microcents     bigint not null check (microcents >= 0),
    primary key (tenant_id, day, provider, model)
)
"""

_CAPS = """
create table spend_caps (
    tenant_id    text primary key references tenants,
    daily_cents  integer not null check (daily_cents between 0 and 100000000)
)
"""


def upgrade() -> None:
    op.execute(_USAGE)
    op.execute(_CAPS)


def downgrade() -> None:
    op.execute("drop table spend_caps")
    op.execute("drop table model_usage")
