"""Weigh in functions what few Consents have, so that no statement has to begin with it; name a
Consent beside its rules."""

from alembic import op

revision = "0017"
down_revision = "0016"

# What a resource is compared with consents by: "Type/id", and columns of table `resource`.
MARKS = """
CREATE TYPE marks AS (
    resource text COLLATE "C",
    confidentiality smallint,
    labels text[] COLLATE "C",
    seals text[] COLLATE "C",
    traits bigint[],
    lo timestamptz,
    hi timestamptz
)
"""

# Who asks (`own`, and with who works for them `reach`, "*" in both), what for, and at what instant;
# what they wrote; relationships of which basis are beyond consents; and the search parameter
# `target` of Provenance, by which authors are attested.
ASKING = """
CREATE TYPE asking AS (
    own text[] COLLATE "C",
    reach text[] COLLATE "C",
    purposes text[] COLLATE "C",
    actions text[] COLLATE "C",
    at timestamptz,
    authorship bigint[],
    free text[],
    attested int
)
"""

JOINED = "CREATE AGGREGATE joined(text[]) (SFUNC = array_cat, STYPE = text[])"

# Whether a resource has the classes and codes, lies in the time, is what the rule names. What has
# no time is touched by any denial.
IS_WITHIN = """
CREATE FUNCTION is_within(c consent_rule, of marks, attested int)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (c.classes IS NULL OR of.traits && c.classes)
        AND (c.codes IS NULL OR of.traits && c.codes)
        AND (c.lo IS NULL OR coalesce(CASE
            WHEN c.permits THEN of.lo >= c.lo AND of.hi <= c.hi
            ELSE of.lo IS NULL OR of.lo < c.hi AND of.hi > c.lo END, false))
        AND (NOT c.is_named OR coalesce(rule_names(
            c.instances, c.dependents, c.authors, c.related, of.traits, of.resource, attested
        ), false));
END $$
"""

# Whether a relationship frees whoever asks of what this patient denies.
IS_SPARED = """
CREATE FUNCTION is_spared(whose text, who asking)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM relationship AS e
        WHERE e.patient = whose AND e.actor = ANY(who.reach) AND e.basis = ANY(who.free)
          AND who.at >= e.starts AND who.at < e.ends);
END $$
"""

# What a rule in force says of a resource that it speaks of under one of its labels: true, it may be
# opened, false, it is denied, or nothing. A law asks permissions to name it; an author's own notes
# are open to the author. A denial is taken back, under a label, by a permission nested in it; a
# denial nested in it takes nothing back: it denies by itself, as far as it goes.
WEIGHS = """
CREATE FUNCTION weighs(c consent_rule, of marks, who asking)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    notes text[] := CASE WHEN of.traits && who.authorship THEN '{PSYTHPN}'::text[] ELSE '{}' END;
BEGIN
    IF c.is_narrow AND is_within(c, of, who.attested) IS NOT TRUE THEN
        RETURN NULL;
    ELSIF c.permits THEN
        RETURN CASE WHEN of.seals IS NULL OR of.seals <@ (c.opens || notes) THEN true END;
    ELSIF c.actor <> ALL(who.own) OR is_spared(c.patient, who) THEN
        RETURN NULL;
    ELSIF EXISTS (
        SELECT FROM unnest(coalesce(nullif(of.labels, '{}'), ARRAY[NULL]::text[])) AS a
        WHERE (of.confidentiality BETWEEN c.least AND c.most OR a = ANY(c.labels))
          AND NOT EXISTS (
            SELECT FROM consent_rule AS x
            WHERE x.rid = c.rid AND starts_with(x.path, c.path) AND x.permits
              AND x.actor = ANY(who.reach)
              AND (x.purposes IS NULL OR x.purposes && who.purposes)
              AND (x.actions IS NULL OR x.actions && who.actions)
              AND who.at >= x.starts AND who.at < x.ends
              AND (of.confidentiality BETWEEN x.least AND x.most OR a = ANY(x.labels))
              AND (of.seals IS NULL OR of.seals <@ (x.opens || notes))
              AND (NOT x.is_narrow OR is_within(x, of, who.attested)))) THEN
        RETURN false;
    END IF;
    RETURN NULL;
END $$
"""

FUNCTIONS = (IS_WITHIN, IS_SPARED, WEIGHS)
COMMENTS = {
    "FUNCTION is_within": "a rule has the classes, codes, time and names of a resource",
    "FUNCTION is_spared": "a relationship frees whoever asks of what a patient denies",
    "FUNCTION weighs": "true: a rule opens a resource, false: it denies it",
    "AGGREGATE joined(text[])": "the arrays one after the other, NULL of none",
}


def upgrade() -> None:
    op.execute('ALTER TABLE consent_rule ADD COLUMN consent TEXT COLLATE "C"')
    op.execute("UPDATE consent_rule AS c SET consent = k.id FROM resource AS k WHERE k.rid = c.rid")
    op.execute("ALTER TABLE consent_rule ALTER COLUMN consent SET NOT NULL")
    for statement in (MARKS, ASKING, JOINED, *FUNCTIONS):
        op.execute(statement)
    for what, comment in COMMENTS.items():
        op.execute(f"COMMENT ON {what} IS '{comment}'")


def downgrade() -> None:
    op.execute("DROP FUNCTION weighs, is_spared, is_within")
    op.execute("DROP AGGREGATE joined(text[])")
    op.execute("DROP TYPE asking, marks")
    op.execute("ALTER TABLE consent_rule DROP COLUMN consent")
