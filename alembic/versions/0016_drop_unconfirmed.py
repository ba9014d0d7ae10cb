"""Keep no secret of an authenticator before its first code: the page that shows it holds it."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("DELETE FROM totp WHERE NOT confirmed")
    op.execute("ALTER TABLE totp DROP COLUMN confirmed")


def downgrade() -> None:
    op.execute("ALTER TABLE totp ADD COLUMN confirmed BOOLEAN DEFAULT true NOT NULL")
    op.execute("ALTER TABLE totp ALTER COLUMN confirmed SET DEFAULT false")
