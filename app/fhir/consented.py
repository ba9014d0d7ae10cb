"""Permitted and Related in SQL: what relationships and consents let somebody see of a resource.

Asks what `app/consent/decision.py` decides, of the columns of a resource and the rows of consents:
a permission has to match, and no denial may, unless a provision within it matches as well. Why is
in docs/decisions/0010-consent.md.
"""

from dataclasses import dataclass
from functools import cached_property

from app.fhir.access import EVERYONE, Permitted, Related, Standing
from app.fhir.search.parameters.keys import param
from app.storage.sql import Arguments, literals

ACTIVE = "now() >= {0}.starts AND now() < {0}.ends"
PSYCHOTHERAPY_NOTES = "PSYTHPN"


@dataclass(frozen=True, slots=True)
class Subject:
    """The resource that is asked about, as SQL over alias `h`: one patient of it, and its marks."""

    patient: str = "h.patient"
    confidentiality: str = "h.confidentiality"
    labels: str = "h.labels"
    seals: str = "h.seals"
    traits: str = "h.traits"
    lo: str = "h.lo"
    hi: str = "h.hi"


def unmarked(patient: str) -> Subject:
    """What has no marks, as an AuditEvent: ordinary."""
    return Subject(
        patient,
        "3",
        "NULL::text[]",
        "NULL::text[]",
        "('{}'::bigint[])",
        "NULL::timestamptz",
        "NULL::timestamptz",
    )


class Consented:
    """The conditions of one `Permitted` in one statement; a value is added to `args` at first use,
    since PostgreSQL refuses those that are not used."""

    def __init__(self, permitted: Permitted, args: Arguments) -> None:
        self._permitted = permitted
        self._args = args
        self.own = _standing("own", permitted.actors, args)
        self.reach = _standing("reach", permitted.actors, args)

    @cached_property
    def _purposes(self) -> str:
        return self._args.add(list(self._permitted.purposes), "text[]")

    @cached_property
    def _actions(self) -> str:
        return self._args.add(list(self._permitted.actions), "text[]")

    @cached_property
    def _authorship(self) -> str:
        return self._args.add(list(self._permitted.authorship), "bigint[]")

    def patients(self) -> str:
        """Whoever is related to one of the actors or permits them something, as a sub-select."""
        return (
            f"SELECT s.patient FROM relationship AS s WHERE {self.is_related('s')}"
            f" UNION ALL SELECT c.patient FROM consent_rule AS c WHERE {self._is_permit('c')}"
        )

    def test(self, of: Subject) -> str:
        """SQL: this patient permits it. Each of several labels has to be opened, by one consent or
        another; what has none is one of ordinary sensitivity."""
        return (
            f"(NOT EXISTS (SELECT FROM unnest({_labels(of)}) AS a"
            f" WHERE NOT EXISTS ({self._granted(of)})) AND NOT EXISTS ({self._denied(of)}))"
        )

    def looks_closer(self, patients: str) -> str:
        """SQL: of one of these patients some provision that is for the actors asks what is in a
        resource, of which only the current version is marked."""
        return (
            f"EXISTS (SELECT FROM consent_rule AS c WHERE c.patient = ANY({patients})"
            " AND (c.is_narrow OR c.permits AND c.least > c.most)"
            f" AND {self._is_applying('c', self.reach)}"
            f" AND (c.permits IS NOT FALSE OR NOT EXISTS ({self._spared('c')})))"
        )

    def _granted(self, of: Subject) -> str:
        """What opens the resource for its label `a`."""
        standings = ", ".join(map(_row, self._permitted.standings))
        return (
            "SELECT FROM ("
            "SELECT s.patient, 0 AS least, b.most, '{}'::text[] AS labels, b.is_labelled,"
            " b.opens, false AS is_narrow, NULL::bigint AS rule FROM relationship AS s"
            f" JOIN (VALUES {standings}) AS b(basis, most, is_labelled, opens, is_closable)"
            f" ON b.basis = s.basis WHERE s.patient = {of.patient} AND {self.is_related('s')}"
            f" AND (NOT b.is_closable OR NOT EXISTS ({self._closed()}))"
            " UNION ALL "
            "SELECT c.patient, c.least, c.most, c.labels, true, c.opens, c.is_narrow, c.row"
            f" FROM consent_rule AS c WHERE c.patient = {of.patient} AND {self._is_permit('c')}"
            f") AS g WHERE (g.is_labelled OR {of.labels} IS NULL)"
            f" AND ({of.confidentiality} BETWEEN g.least AND g.most OR a = ANY(g.labels))"
            f" AND ({self._is_unsealed('g', of)}) AND (NOT g.is_narrow OR EXISTS"
            " (SELECT FROM consent_rule AS c"
            f" WHERE c.row = g.rule AND {self._is_within('c', of, is_permit=True)}))"
        )

    def _is_unsealed(self, alias: str, of: Subject) -> str:
        """What the law seals is opened; the author's own notes are open to the author."""
        return (
            f"{of.seals} IS NULL OR {of.seals} <@ ({alias}.opens || CASE WHEN {of.traits} &&"
            f" {self._authorship} THEN '{{{PSYCHOTHERAPY_NOTES}}}'::text[] ELSE '{{}}' END)"
        )

    def _denied(self, of: Subject) -> str:
        """A denial that no provision within it takes back. Whose own record it is is free of it."""
        nested = (
            "SELECT FROM consent_rule AS x WHERE x.rid = d.rid AND x.path <> d.path"
            f" AND starts_with(x.path, d.path) AND {self._is_matching_within(of)}"
        )
        return (
            f"SELECT FROM consent_rule AS d WHERE d.patient = {of.patient} AND NOT d.permits"
            f" AND {self._is_denial('d')} AND NOT EXISTS ({self._spared('d')})"
            f" AND (NOT d.is_narrow OR {self._is_within('d', of, is_permit=False)})"
            f" AND EXISTS (SELECT FROM unnest({_labels(of)}) AS a"
            f" WHERE ({of.confidentiality} BETWEEN d.least AND d.most OR a = ANY(d.labels))"
            f" AND NOT EXISTS ({nested}))"
        )

    def _spared(self, alias: str) -> str:
        """Relationships that free the actors of a denial."""
        free = [standing.basis for standing in self._permitted.standings if standing.is_free]
        return (
            f"SELECT FROM relationship AS e WHERE e.patient = {alias}.patient"
            f" AND e.basis IN ({literals(free)}) AND {self.is_related('e')}"
        )

    def _is_matching_within(self, of: Subject) -> str:
        """Permission `x` applies and extends to the resource under label `a`.

        A denial within a denial takes nothing back: it denies by itself, as far as it goes.
        """
        return (
            f"({of.confidentiality} BETWEEN x.least AND x.most OR a = ANY(x.labels)) AND x.permits"
            f" AND {self._is_applying('x', self.reach)} AND ({self._is_unsealed('x', of)})"
            f" AND (NOT x.is_narrow OR {self._is_within('x', of, is_permit=True)})"
        )

    def _closed(self) -> str:
        """A list of what may flow, which the implicit policy adds nothing to."""
        return (
            "SELECT FROM consent_rule AS w WHERE w.patient = s.patient AND w.closes"
            f" AND {self._is_permit('w')}"
        )

    def is_related(self, alias: str) -> str:
        bases = literals([standing.basis for standing in self._permitted.standings])
        return (
            f"{alias}.actor = ANY({self.reach}) AND {alias}.basis IN ({bases})"
            f" AND {ACTIVE.format(alias)}"
        )

    def _is_permit(self, alias: str) -> str:
        return f"{alias}.permits AND {self.is_in_force(alias, self.reach)}"

    def _is_denial(self, alias: str) -> str:
        return self.is_in_force(alias, self.own)

    def is_in_force(self, alias: str, actors: str) -> str:
        """The rule applies, and no newer consent of its lineage does."""
        return (
            f"{self._is_applying(alias, actors)} AND NOT EXISTS (SELECT FROM consent_rule AS n"
            f" WHERE n.patient = {alias}.patient AND n.actor = '{EVERYONE}' AND n.path = ''"
            f" AND n.lineage = {alias}.lineage AND n.signed > {alias}.signed"
            f" AND {ACTIVE.format('n')})"
        )

    def opens(self, of: Subject, seal: str) -> str:
        """SQL: rule `c` of this patient opens what bears this seal."""
        named = f"c.patient = {of.patient} AND {seal} = ANY(c.opens)"
        return f"{named} AND {self._is_permit('c')} AND {self._extends(of)}"

    def permits(self) -> str:
        """SQL: rule `c` is a permission for the actors, in force."""
        return self._is_permit("c")

    def admits(self, of: Subject) -> str:
        """SQL: a permission `c` has a part in opening the resource."""
        return f"({self._is_unsealed('c', of)}) AND {self._extends(of)}"

    def _extends(self, of: Subject) -> str:
        """Rule `c` extends to the resource under one of its labels."""
        return (
            f"EXISTS (SELECT FROM unnest({_labels(of)}) AS a"
            f" WHERE {of.confidentiality} BETWEEN c.least AND c.most OR a = ANY(c.labels))"
            f" AND (NOT c.is_narrow OR {self._is_within('c', of, is_permit=True)})"
        )

    def _is_applying(self, alias: str, actors: str) -> str:
        """The rule is about whoever asks, the purpose, the action, and now."""
        return (
            f"{alias}.actor = ANY({actors} || '{EVERYONE}'::text)"
            f" AND ({alias}.purposes IS NULL OR {alias}.purposes && {self._purposes})"
            f" AND ({alias}.actions IS NULL OR {alias}.actions && {self._actions})"
            f" AND {ACTIVE.format(alias)}"
        )

    def _is_within(self, alias: str, of: Subject, *, is_permit: bool) -> str:
        """The resource has the classes and codes, lies in the time, is what the rule names."""
        range_ = f"{of.lo} < {alias}.hi AND {of.hi} > {alias}.lo OR {of.lo} IS NULL"
        if is_permit:
            range_ = f"{of.lo} >= {alias}.lo AND {of.hi} <= {alias}.hi"
        return (
            f"(({alias}.classes IS NULL OR {of.traits} && {alias}.classes)"
            f" AND ({alias}.codes IS NULL OR {of.traits} && {alias}.codes)"
            f" AND ({alias}.lo IS NULL OR coalesce({range_}, false))"
            f" AND (NOT {alias}.is_named OR {_is_named(alias, of)}))"
        )


def related(access: Related, args: Arguments, patient: str) -> str:
    """SQL: the actors, or those who stand for them, are related to the patient."""
    return f"{patient} IN ({related_patients(access, args)})"


def related_patients(access: Related, args: Arguments) -> str:
    """The patients whom the actors, or those who stand for them, support, as a sub-select."""
    reach = _standing("reach", access.actors, args)
    based = f" AND s.basis IN ({literals(access.bases)})" if access.bases else ""
    return (
        f"SELECT s.patient FROM relationship AS s WHERE s.actor = ANY({reach})"
        f" AND {ACTIVE.format('s')}{based}"
    )


def _standing(part: str, actors: tuple[str, ...], args: Arguments) -> str:
    """What the actors are or belong to (`own`): their roles, organizations upward, teams and
    groups; that, and who works for the actors (`reach`). An array, found once in a statement."""
    found = args.once(
        part,
        ("standing", actors),
        lambda: f"SELECT own, reach FROM standing_of({args.add(list(actors), 'text[]')})",
    )
    return f"{found}::text[]"


def _is_named(alias: str, of: Subject) -> str:
    """A rule names the resource: itself, what it refers to, who made it, or what refers to it."""
    named = (f"{alias}.{name}" for name in ("instances", "dependents", "authors", "related"))
    attested = param("Provenance", "target")
    return f"rule_names({', '.join(named)}, {of.traits}, h.type || '/' || h.id, {attested})"


def _labels(of: Subject) -> str:
    """The labels of the resource, one NULL where it has none."""
    return f"coalesce(nullif({of.labels}, '{{}}'), ARRAY[NULL]::text[])"


def _row(standing: Standing) -> str:
    opens = ",".join(standing.opens)
    return (
        f"('{standing.basis}', {standing.confidentiality}, {str(standing.is_labelled).lower()},"
        f" '{{{opens}}}'::text[], {str(standing.is_closable).lower()})"
    )
