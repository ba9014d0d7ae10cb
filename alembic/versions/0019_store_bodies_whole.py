"""Store bodies of up to 8 KB as they are: to compress them takes longer than to write them."""

from alembic import op

revision = "0019"
down_revision = "0018"

TABLES = ("resource", "resource_version")


def upgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} SET (toast_tuple_target = 8160)")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} RESET (toast_tuple_target)")
