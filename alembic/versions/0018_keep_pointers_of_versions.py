"""Keep beside each version what its body refers to: NULL of those that are there already."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute('ALTER TABLE resource_version ADD COLUMN pointers TEXT[] COLLATE "C"')


def downgrade() -> None:
    op.execute("ALTER TABLE resource_version DROP COLUMN pointers")
