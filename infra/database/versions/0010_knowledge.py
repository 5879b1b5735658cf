"""The documents that companies let their agents know, and how far each of them has come."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_DOCUMENTS = """
create table knowledge_documents (
    tenant_id        text not null references tenants,
    collection       text not null check (collection ~ '^[a-z][a-z0-9_]{0,62}$'),
    document_id      text not null check (length(document_id) between 1 and 128) collate "C",
    file_name        text not null check (length(file_name) between 1 and 200),
    kind             text not null check (kind in ('pdf', 'docx', 'html', 'markdown', 'text', 'csv')),
    size_bytes       integer not null check (size_bytes >= 0),
    state            text not null
        check (state in ('queued', 'reading', 'indexing', 'ready', 'failed', 'deleting')),
    file             text not null,
    files            text[] not null,
    revision         bigint not null default nextval('knowledge_revisions'),
    done             integer not null default 0 check (done >= 0),
    total            integer not null default 0 check (total >= 0),
    failure_code     text,
    failure_message  text,
    updated_at       timestamptz not null default clock_timestamp(),
    primary key (tenant_id, collection, document_id),
    check ((state = 'failed') = (failure_code is not null and failure_message is not null))
)
"""


def upgrade() -> None:
    # One sequence for all: a document that was deleted and comes again never gets a revision that it had.
    op.execute("create sequence knowledge_revisions")
    op.execute(_DOCUMENTS)


def downgrade() -> None:
    op.execute("drop table knowledge_documents")
    op.execute("drop sequence knowledge_revisions")
