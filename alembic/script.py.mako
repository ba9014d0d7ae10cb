"""${message.capitalize()}."""

from alembic import op

revision = ${repr(up_revision).replace("'", '"')}
down_revision = ${repr(down_revision).replace("'", '"')}


def upgrade() -> None:
    op.execute("")


def downgrade() -> None:
    op.execute("")
