"""Create what composite searches find elements by, and full text its words."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE index_composite (
        row BIGSERIAL NOT NULL,
        rid BIGINT NOT NULL,
        param INTEGER NOT NULL,
        tokens BIGINT[] NOT NULL,
        lo NUMERIC,
        hi NUMERIC,
        units BIGINT[],
        starts TIMESTAMP WITH TIME ZONE,
        ends TIMESTAMP WITH TIME ZONE,
        folded TEXT COLLATE "C",
        exact TEXT COLLATE "C",
        PRIMARY KEY (row)
    )
    """)
    op.execute("CREATE INDEX index_composite_rid ON index_composite (rid, param)")
    op.execute("""
    CREATE TABLE index_text (
        rid BIGINT NOT NULL,
        narrative TEXT NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (rid)
    )
    """)
    for column in ("narrative", "content"):
        op.execute(
            f"CREATE INDEX index_text_{column} ON index_text"
            f" USING gin (to_tsvector('english', {column}))"
        )


def downgrade() -> None:
    op.execute("DROP TABLE index_text, index_composite")
