"""Create what operators register to search by."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE search_parameter (
        rid BIGINT NOT NULL,
        base TEXT COLLATE "C" NOT NULL,
        code TEXT COLLATE "C" NOT NULL,
        definition TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (rid, base, code)
    )
    """)
    op.execute("""
    CREATE TABLE search_index (
        base TEXT COLLATE "C" NOT NULL,
        code TEXT COLLATE "C" NOT NULL,
        definition TEXT COLLATE "C" NOT NULL,
        position TEXT COLLATE "C",
        indexed BIGINT NOT NULL,
        done TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (base, code)
    )
    """)
    op.execute("""
    CREATE TABLE search_registry (
        name TEXT NOT NULL,
        stamp TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (name)
    )
    """)
    # Writers compare the stamp with the one they derived their rows under; it changes at the very
    # end of a transaction, or whoever registers would find it changed by themselves.
    op.execute("""
    CREATE FUNCTION stamp_search_registry() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO search_registry (name, stamp) VALUES ('search', gen_random_uuid()::text)
      ON CONFLICT (name) DO UPDATE SET stamp = excluded.stamp;
      RETURN NULL;
    END $$
    """)
    op.execute("""
    CREATE CONSTRAINT TRIGGER search_parameter_stamp
    AFTER INSERT OR UPDATE OR DELETE ON search_parameter DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_search_registry()
    """)
    # Only what is done is told to others: while it lasts, every batch changes a position.
    op.execute("""
    CREATE CONSTRAINT TRIGGER search_index_stamp
    AFTER UPDATE OF done ON search_index DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_search_registry()
    """)


def downgrade() -> None:
    op.execute("DROP TABLE search_registry, search_index, search_parameter")
    op.execute("DROP FUNCTION stamp_search_registry")
