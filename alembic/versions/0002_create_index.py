"""Create what search finds resources by."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE index_reference (
        rid BIGINT NOT NULL,
        param INTEGER NOT NULL,
        target TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (target, param, rid)
    )
    """)
    op.execute("CREATE INDEX index_reference_rid ON index_reference (rid, param)")
    op.execute("""
    CREATE TABLE index_date (
        row BIGSERIAL NOT NULL,
        rid BIGINT NOT NULL,
        param INTEGER NOT NULL,
        lo TIMESTAMP WITH TIME ZONE NOT NULL,
        hi TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (row)
    )
    """)
    op.execute("CREATE INDEX index_date_hi ON index_date (param, hi, rid)")
    op.execute("CREATE INDEX index_date_lo ON index_date (param, lo, rid)")
    op.execute("CREATE INDEX index_date_rid ON index_date (rid, param)")
    op.execute("""
    CREATE TABLE index_string (
        row BIGSERIAL NOT NULL,
        rid BIGINT NOT NULL,
        param INTEGER NOT NULL,
        folded TEXT COLLATE "C" NOT NULL,
        exact TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (row)
    )
    """)
    op.execute("CREATE INDEX index_string_folded ON index_string (param, folded, rid)")
    op.execute("CREATE INDEX index_string_rid ON index_string (rid, param)")
    op.execute("""
    CREATE TABLE index_number (
        row BIGSERIAL NOT NULL,
        rid BIGINT NOT NULL,
        param INTEGER NOT NULL,
        lo NUMERIC,
        hi NUMERIC,
        units BIGINT[],
        PRIMARY KEY (row)
    )
    """)
    op.execute("CREATE INDEX index_number_lo ON index_number (param, lo, rid)")
    op.execute("CREATE INDEX index_number_rid ON index_number (rid, param)")


def downgrade() -> None:
    op.execute("DROP TABLE index_number, index_string, index_date, index_reference")
