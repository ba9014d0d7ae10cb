"""Create what composite searches find elements by."""

from alembic import op

revision = "0010"
down_revision = "0005"


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


def downgrade() -> None:
    op.execute("DROP TABLE index_composite")
