"""Find within the statement for whom somebody stands who stands for nobody else, as most do."""

from alembic import op

revision = "0020"
down_revision = "0019"

# Whom the actors are or belong to: their roles, organizations upward, teams and groups.
OWN_OF = """
CREATE FUNCTION own_of(actors text[]) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    own text[] := actors;
    fresh text[];
BEGIN
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
    RETURN own;
END $$
"""

# Whom the actors are or belong to (`own`), and with them who works for the actors (`reach`). In
# SQL and a table, so that it becomes part of the statement: to call a function that asks twice
# takes longer. OFFSET keeps `own` from being found in both places that name it.
STANDING_OF = """
CREATE FUNCTION standing_of(actors text[]) RETURNS TABLE (own text[], reach text[])
LANGUAGE sql STABLE AS $$
    SELECT o.own, o.own || ARRAY(
        SELECT f.actor FROM affiliation AS f
        WHERE f.principal = ANY(actors) AND f.actor NOT LIKE 'Organization/%'
          AND now() >= f.starts AND now() < f.ends)
    FROM (
        SELECT CASE WHEN array_to_string(actors, ' ') LIKE '%Practitioner/%' OR EXISTS (
            SELECT FROM affiliation AS f
            WHERE f.actor = ANY(actors) AND now() >= f.starts AND now() < f.ends)
        THEN own_of(actors) ELSE actors END AS own OFFSET 0) AS o
$$
"""

# As 0003 made it.
BEFORE = """
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


def upgrade() -> None:
    op.execute(OWN_OF)
    op.execute("DROP FUNCTION standing_of")
    op.execute(STANDING_OF)


def downgrade() -> None:
    op.execute("DROP FUNCTION standing_of, own_of")
    op.execute(BEFORE)
