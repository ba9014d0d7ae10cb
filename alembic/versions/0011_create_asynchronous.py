"""Create what holds a request that is answered later."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE asynchronous_request (
        id TEXT COLLATE "C" NOT NULL,
        client TEXT COLLATE "C" NOT NULL,
        username TEXT COLLATE "C",
        organization TEXT COLLATE "C",
        interaction TEXT COLLATE "C" NOT NULL,
        steps INTEGER NOT NULL,
        attempts INTEGER DEFAULT 0 NOT NULL,
        created TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        completed TIMESTAMP WITH TIME ZONE,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """)
    op.execute("CREATE INDEX ix_asynchronous_request_client ON asynchronous_request (client)")
    op.execute("CREATE INDEX ix_asynchronous_request_expires ON asynchronous_request (expires)")
    op.execute("""
    CREATE TABLE asynchronous_work (
        request TEXT COLLATE "C" NOT NULL,
        asked TEXT NOT NULL,
        queued TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (request)
    )
    """)
    op.execute("CREATE INDEX ix_asynchronous_work_queued ON asynchronous_work (queued)")
    op.execute("""
    CREATE TABLE asynchronous_answer (
        request TEXT COLLATE "C" NOT NULL,
        position INTEGER NOT NULL,
        content TEXT NOT NULL,
        level SMALLINT,
        PRIMARY KEY (request, position),
        FOREIGN KEY (request) REFERENCES asynchronous_request (id) ON DELETE CASCADE
    )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE asynchronous_answer, asynchronous_work, asynchronous_request")
