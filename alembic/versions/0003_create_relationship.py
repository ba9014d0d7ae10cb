"""Create who may see a patient."""

from alembic import op

revision = "0003"
down_revision = "0002"

# Whom the actors are or belong to (`own`: their roles, organizations upward, teams and groups), and
# with them who works for the actors (`reach`).
STANDING_OF = """
CREATE FUNCTION standing_of(actors text[], OUT own text[], OUT reach text[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
    fresh text[];
BEGIN
    own := actors;
    IF array_to_string(actors, ' ') LIKE '%Practitioner/%' THEN
        own := own || ARRAY(
            SELECT f.actor FROM affiliation AS f
            WHERE f.principal = ANY(actors) AND now() >= f.starts AND now() < f.ends
              AND f.principal LIKE 'Practitioner/%' AND f.actor LIKE 'PractitionerRole/%');
    END IF;
    fresh := own;
    LOOP
        fresh := ARRAY(
            SELECT DISTINCT f.principal FROM affiliation AS f
            WHERE f.actor = ANY(fresh) AND now() >= f.starts AND now() < f.ends
              AND f.principal <> ALL(own));
        EXIT WHEN fresh = '{}';
        own := own || fresh;
    END LOOP;
    reach := own || ARRAY(
        SELECT f.actor FROM affiliation AS f
        WHERE f.principal = ANY(actors) AND f.actor NOT LIKE 'Organization/%'
          AND now() >= f.starts AND now() < f.ends);
END $$
"""

# Whether a rule that names resources names the one with these traits: itself, what it refers to,
# who made it (by itself or by a Provenance, whose search parameter target is `attested`), or what
# refers to it.
RULE_NAMES = """
CREATE FUNCTION rule_names(
    instances bigint[], dependents bigint[], authors bigint[], related text[],
    of_traits bigint[], of_resource text, attested int
) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN of_traits[1] = ANY(instances) OR of_traits && dependents OR of_traits && authors
        OR EXISTS (
            SELECT FROM index_reference AS t
            JOIN resource AS v ON v.rid = t.rid AND NOT v.deleted
            WHERE t.target = of_resource AND t.param = attested AND v.traits && authors)
        OR EXISTS (
            SELECT FROM unnest(related) AS t
            JOIN resource AS i ON NOT i.deleted
             AND i.type = split_part(t, '/', 1) AND i.id = split_part(t, '/', 2)
            WHERE of_traits[1] = ANY(i.traits));
END $$
"""


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
    for function in (STANDING_OF, RULE_NAMES):
        op.execute(function)


def downgrade() -> None:
    op.execute("DROP FUNCTION rule_names, standing_of")
    op.execute("DROP TABLE consent_rule, affiliation, relationship")
