"""Create every FHIR resource: its current version, all its versions, and the instants of writes."""

from alembic import op

revision = "0001"
down_revision = None

# A PostgreSQL built without lz4 keeps its slower default.
LZ4_BODIES = """
DO $$ BEGIN
IF (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') THEN
    ALTER TABLE resource ALTER body SET COMPRESSION lz4;
    ALTER TABLE resource_version ALTER body SET COMPRESSION lz4;
END IF;
END $$
"""

# A poller that asks "what changed since T" must not miss a write that had its instant before T and
# commits after the poller looked. So a write first registers a lower bound of its instant, as a
# shared lock that ends with its transaction, and only then reads the clock. PostgreSQL makes a
# commit visible before it releases locks: whoever no longer sees the lock sees the rows.
# Of all advisory locks only these have one bigint key (objsubid 1); the others take two ints.
WRITE_INSTANT = """
CREATE FUNCTION write_instant() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(
        floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
    RETURN date_trunc('milliseconds', clock_timestamp());
END $$
"""

# Every write before this instant is visible to the statements that follow. The clock is read before
# the locks: a write that registers after we looked reads a later clock. Instants are cut to
# milliseconds, so a write in flight may yet appear within the very millisecond that is returned;
# who asks again asks from that instant on, itself included (_since is inclusive).
HISTORY_HORIZON = """
CREATE FUNCTION history_horizon() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    horizon timestamptz := clock_timestamp();
    in_flight bigint;
BEGIN
    SELECT min((classid::bigint << 32) | objid::bigint) INTO in_flight
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ShareLock' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
    IF in_flight IS NOT NULL THEN
        horizon := least(horizon, to_timestamp(in_flight / 1000000.0));
    END IF;
    RETURN date_trunc('milliseconds', horizon);
END $$
"""


def upgrade() -> None:
    op.execute("""
    CREATE TABLE resource (
        rid BIGINT NOT NULL,
        type TEXT COLLATE "C" NOT NULL,
        id TEXT COLLATE "C" NOT NULL,
        version INTEGER NOT NULL,
        last_updated TIMESTAMP WITH TIME ZONE NOT NULL,
        deleted BOOLEAN NOT NULL,
        patient TEXT COLLATE "C",
        patients TEXT[] COLLATE "C",
        keys BIGINT[] NOT NULL,
        digest BIGINT NOT NULL,
        confidentiality SMALLINT NOT NULL,
        labels TEXT[] COLLATE "C",
        seals TEXT[] COLLATE "C",
        traits BIGINT[] NOT NULL,
        lo TIMESTAMP WITH TIME ZONE,
        hi TIMESTAMP WITH TIME ZONE,
        body TEXT,
        PRIMARY KEY (rid)
    )
    """)
    op.execute("CREATE INDEX resource_keys ON resource USING gin (keys) WITH (fastupdate = off)")
    op.execute("CREATE INDEX resource_last_updated ON resource (type, last_updated, rid)")
    op.execute("CREATE INDEX resource_patient ON resource (patient, type, last_updated)")
    op.execute("CREATE UNIQUE INDEX resource_type_id ON resource (type, id)")
    op.execute("""
    CREATE TABLE resource_version (
        rid BIGINT NOT NULL,
        version INTEGER NOT NULL,
        type TEXT COLLATE "C" NOT NULL,
        last_updated TIMESTAMP WITH TIME ZONE NOT NULL,
        method TEXT NOT NULL,
        patient TEXT COLLATE "C",
        patients TEXT[] COLLATE "C",
        confidentiality SMALLINT NOT NULL,
        labels TEXT[] COLLATE "C",
        seals TEXT[] COLLATE "C",
        body TEXT,
        PRIMARY KEY (rid, version)
    )
    """)
    op.execute("""
    CREATE INDEX resource_version_changes ON resource_version (type, last_updated, rid, version)
    """)
    op.execute("""
    CREATE INDEX resource_version_system ON resource_version (last_updated, rid, version)
    """)

    # One nextval hands out a block: app/storage/database.py counts within it.
    op.execute("CREATE SEQUENCE resource_rid AS bigint START 1 INCREMENT 100")
    op.execute(LZ4_BODIES)
    # Few clients have thousands of resources and many have few; types are as uneven.
    op.execute("ALTER TABLE resource ALTER patient SET STATISTICS 1000")
    op.execute("ALTER TABLE resource ALTER keys SET STATISTICS 1000")
    op.execute(
        "CREATE STATISTICS resource_type_patient (ndistinct, mcv) ON type, patient FROM resource"
    )
    op.execute(WRITE_INSTANT)
    op.execute(HISTORY_HORIZON)


def downgrade() -> None:
    op.execute("DROP FUNCTION history_horizon, write_instant")
    op.execute("DROP TABLE resource_version, resource")
    op.execute("DROP SEQUENCE resource_rid")
