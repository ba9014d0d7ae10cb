"""Keep beside each current version what its body refers to: NULL until it is written anew."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute('ALTER TABLE resource ADD COLUMN pointers TEXT[] COLLATE "C"')


def downgrade() -> None:
    op.execute("ALTER TABLE resource DROP COLUMN pointers")
