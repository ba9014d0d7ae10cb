"""Create who may see a patient."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE relationship (
        row BIGSERIAL NOT NULL,
        rid BIGINT NOT NULL,
        patient TEXT COLLATE "C" NOT NULL,
        actor TEXT COLLATE "C" NOT NULL,
        basis TEXT NOT NULL,
        starts TIMESTAMP WITH TIME ZONE NOT NULL,
        ends TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (row)
    )
    """)
    op.execute("CREATE INDEX relationship_actor ON relationship (actor, patient)")
    op.execute("CREATE INDEX relationship_patient ON relationship (patient, actor)")
    op.execute("CREATE INDEX relationship_rid ON relationship (rid)")
    op.execute("""
    CREATE TABLE affiliation (
        row BIGSERIAL NOT NULL,
        rid BIGINT NOT NULL,
        actor TEXT COLLATE "C" NOT NULL,
        principal TEXT COLLATE "C" NOT NULL,
        starts TIMESTAMP WITH TIME ZONE NOT NULL,
        ends TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (row)
    )
    """)
    op.execute("CREATE INDEX affiliation_actor ON affiliation (actor, principal)")
    op.execute("CREATE INDEX affiliation_principal ON affiliation (principal, actor)")
    op.execute("CREATE INDEX affiliation_rid ON affiliation (rid)")
    op.execute("""
    CREATE TABLE consent_rule (
        row BIGSERIAL NOT NULL,
        rid BIGINT NOT NULL,
        patient TEXT COLLATE "C" NOT NULL,
        actor TEXT COLLATE "C" NOT NULL,
        path TEXT COLLATE "C" NOT NULL,
        permits BOOLEAN,
        closes BOOLEAN NOT NULL,
        purposes TEXT[] COLLATE "C",
        actions TEXT[] COLLATE "C",
        least SMALLINT NOT NULL,
        most SMALLINT NOT NULL,
        labels TEXT[] COLLATE "C" NOT NULL,
        opens TEXT[] COLLATE "C" NOT NULL,
        is_narrow BOOLEAN NOT NULL,
        classes BIGINT[],
        codes BIGINT[],
        lo TIMESTAMP WITH TIME ZONE,
        hi TIMESTAMP WITH TIME ZONE,
        is_named BOOLEAN NOT NULL,
        instances BIGINT[] NOT NULL,
        dependents BIGINT[] NOT NULL,
        authors BIGINT[] NOT NULL,
        related TEXT[] COLLATE "C" NOT NULL,
        starts TIMESTAMP WITH TIME ZONE NOT NULL,
        ends TIMESTAMP WITH TIME ZONE NOT NULL,
        lineage BIGINT NOT NULL,
        signed TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (row)
    )
    """)
    op.execute("CREATE INDEX consent_rule_actor ON consent_rule (actor, patient)")
    op.execute("CREATE INDEX consent_rule_patient ON consent_rule (patient, actor)")
    op.execute("CREATE INDEX consent_rule_rid ON consent_rule (rid)")


def downgrade() -> None:
    op.execute("DROP TABLE consent_rule, affiliation, relationship")
