"""How far the labels of what is stored follow the rules: see app/storage/labelling_tables.py."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE labelling (
        digest TEXT COLLATE "C" NOT NULL,
        after_rid BIGINT NOT NULL DEFAULT 0,
        done TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (digest)
    )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE labelling")
