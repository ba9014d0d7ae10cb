"""Mark the index row by which a resource is sorted, and let an index answer for it alone.

A row number, which was needed to tell equal values apart, is not any more: one index less a table,
and no sequence. What replicates these tables by row finds them by all their columns.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

TABLES = {"index_date": "lo", "index_string": "folded", "index_number": "lo"}


def upgrade() -> None:
    for table, value in TABLES.items():
        op.execute(f"""
        ALTER TABLE {table} DROP COLUMN row,
            ADD COLUMN is_least BOOLEAN NOT NULL DEFAULT true,
            ADD COLUMN is_greatest BOOLEAN NOT NULL DEFAULT true
        """)
        op.execute(f"""
        UPDATE {table} AS i SET is_least = o.is_least, is_greatest = o.is_greatest
        FROM (
            SELECT ctid, {value} IS NOT NULL AND row_number() OVER up = 1 AS is_least,
                {value} IS NOT NULL AND row_number() OVER down = 1 AS is_greatest
            FROM {table} WINDOW up AS (PARTITION BY rid, param ORDER BY {value} NULLS LAST, ctid),
                down AS (PARTITION BY rid, param ORDER BY {value} DESC NULLS LAST, ctid)
        ) AS o WHERE i.ctid = o.ctid AND NOT (o.is_least AND o.is_greatest)
        """)
        op.execute(f"""
        ALTER TABLE {table} REPLICA IDENTITY FULL, ALTER COLUMN is_least DROP DEFAULT,
            ALTER COLUMN is_greatest DROP DEFAULT
        """)
    op.execute("DROP INDEX index_date_lo, index_string_folded")
    op.execute("CREATE INDEX index_date_lo ON index_date (param, lo, rid) INCLUDE (hi)")
    op.execute("""
    CREATE INDEX index_string_folded ON index_string (param, folded, rid)
        INCLUDE (is_least, is_greatest)
    """)


def downgrade() -> None:
    op.execute("DROP INDEX index_date_lo, index_string_folded")
    for table in TABLES:
        op.execute(f"""
        ALTER TABLE {table} REPLICA IDENTITY DEFAULT, DROP COLUMN is_least,
            DROP COLUMN is_greatest, ADD COLUMN row BIGSERIAL PRIMARY KEY
        """)
    op.execute("CREATE INDEX index_date_lo ON index_date (param, lo, rid)")
    op.execute("CREATE INDEX index_string_folded ON index_string (param, folded, rid)")
