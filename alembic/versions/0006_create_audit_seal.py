"""Create the seals of the audit trail, and let nothing of it be changed by mistake."""

from alembic import op

revision = "0006"
down_revision = "0005"

# Privileges keep the server from doing this (app/storage/roles.py); the owner is kept by a trigger
# from doing it unawares. Only `isp audit expire` says that it means to.
APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('isp.expiring', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute("""
    CREATE TABLE audit_seal (
        number BIGINT NOT NULL,
        previous BYTEA NOT NULL,
        after_rid BIGINT NOT NULL,
        last_rid BIGINT NOT NULL,
        events INTEGER NOT NULL,
        root BYTEA NOT NULL,
        sealed TIMESTAMP WITH TIME ZONE NOT NULL,
        digest BYTEA NOT NULL,
        rids BIGINT[],
        digests BYTEA,
        PRIMARY KEY (number)
    )
    """)
    op.execute(APPEND_ONLY)
    for table in ("audit_event", "audit_seal"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.execute("DROP TRIGGER append_only ON audit_event")
    op.execute("DROP TABLE audit_seal")
    op.execute("DROP FUNCTION refuse_change")
