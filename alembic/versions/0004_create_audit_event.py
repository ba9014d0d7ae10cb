"""Create the audit trail."""

from alembic import op

revision = "0004"
down_revision = "0003"

LZ4_BODY = """
DO $$ BEGIN
IF (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') THEN
    ALTER TABLE audit_event ALTER body SET COMPRESSION lz4;
END IF;
END $$
"""

# The trail grows with every call. No plan asks how its bodies and keys are spread, and to find out
# keeps a processor busy.
SELDOM = """
ALTER TABLE audit_event
    ALTER keys SET STATISTICS 0, ALTER body SET STATISTICS 0, ALTER targets SET STATISTICS 10,
    SET (autovacuum_analyze_scale_factor = 0.5)
"""


def upgrade() -> None:
    op.execute("""
    CREATE TABLE audit_event (
        rid BIGINT NOT NULL,
        type TEXT COLLATE "C" DEFAULT 'AuditEvent' NOT NULL,
        id TEXT COLLATE "C" NOT NULL,
        version INTEGER DEFAULT '1' NOT NULL,
        last_updated TIMESTAMP WITH TIME ZONE NOT NULL,
        deleted BOOLEAN DEFAULT 'false' NOT NULL,
        patient TEXT COLLATE "C",
        patients TEXT[] COLLATE "C",
        keys BIGINT[] NOT NULL,
        targets BIGINT[] NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (rid),
        UNIQUE (id)
    )
    """)
    op.execute("CREATE INDEX audit_event_last_updated ON audit_event (last_updated, rid)")
    op.execute("CREATE INDEX audit_event_targets ON audit_event USING gin (targets)")
    op.execute(LZ4_BODY)
    op.execute(SELDOM)


def downgrade() -> None:
    op.execute("DROP TABLE audit_event")
