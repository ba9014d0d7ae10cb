"""Permitted and Related in SQL: what relationships and consents let somebody see of a resource.

It decides as `app/consent/decision.py` does, from the columns of a resource and the rows of
consents. PostgreSQL begins every part of a statement, even one that it never comes to; so what only
few consents have (classes, codes, times, data, exceptions from a denial) is weighed by functions of
the database. Why: docs/decisions/0010-consent.md.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from app.fhir.access import EVERYONE, Permitted, Related, Standing
from app.fhir.search.parameters.keys import param
from app.storage.sql import Arguments, array, literals

ACTIVE = "now() >= {0}.starts AND now() < {0}.ends"
PSYCHOTHERAPY_NOTES = "PSYTHPN"
ATTESTED = param("Provenance", "target")
VOUCHES = (
    "h.patient <> ALL(ARRAY"
    "(SELECT c.patient FROM consent_rule AS c WHERE c.is_narrow AND c.patient = ANY({0})))"
)
"""SQL: resource `h`, of a type that vouches, vouches for what is like it (`LIKE`): no consent of
its patient, one of {0}, looks any closer. Even what bears a seal vouches, since what is like it
bears none and is as open or more."""
STANDING = ", ".join(f"{part} || '{EVERYONE}'::text AS {part}" for part in ("own", "reach"))
"""What is selected of `own` and `reach`: a rule for everyone is a rule for whoever asks."""


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

    @property
    def marks(self) -> str:
        """As the functions of the database take them."""
        columns = (self.confidentiality, self.labels, self.seals, self.traits, self.lo, self.hi)
        return f"ROW(h.type || '/' || h.id, {', '.join(columns)})::marks"


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

    @property
    def _purposes(self) -> str:
        # In the text, as are actions: of either there are few, and an array takes the driver long.
        return array(self._permitted.purposes)

    @property
    def _actions(self) -> str:
        return array(self._permitted.actions)

    @cached_property
    def _authorship(self) -> str:
        return self._args.shared(self._permitted.authorship, "bigint[]")

    def patients(self) -> str:
        """Whoever is related to one of the actors or permits them something, as a sub-select."""
        return (
            f"SELECT s.patient FROM relationship AS s WHERE {self.is_related()}"
            f" UNION ALL SELECT c.patient FROM consent_rule AS c WHERE {self.permits()}"
        )

    def test(self, of: Subject) -> str:
        """SELECT consents: those ("patient/id") by which this patient permits it, none if it takes
        a relationship; NULL if it is not permitted. Consents open it together, each for some labels
        or for all; a relationship does by itself. One denial closes it."""
        is_opened = f"coalesce({of.labels}, '{{}}') <@ r.opened"
        return (
            f"SELECT CASE WHEN r.denies THEN NULL WHEN {is_opened} THEN r.consents"
            f" WHEN EXISTS ({self._ties(of)}) THEN '{{}}'::text[] END AS consents"
            f" FROM ({self._rules(of)}) AS r"
        )

    def looks_closer(self, patients: str) -> str:
        """SQL: of one of these patients some provision that is for the actors asks what is in a
        resource, of which only the current version is marked."""
        return (
            f"EXISTS (SELECT FROM consent_rule AS c WHERE c.patient = ANY({patients})"
            " AND (c.is_narrow OR c.permits AND c.least > c.most)"
            f" AND {self._is_applying(self.reach)}"
            f" AND (c.permits IS NOT FALSE OR NOT is_spared(c.patient, {self._asking})))"
        )

    def _rules(self, of: Subject) -> str:
        """What the rules in force for the actors say of the resource: whether one `denies` it; the
        labels under which it is `opened`, NULL if it is not, by which `consents`; whether one
        `closes` the record: is a list of what may flow, which the implicit policy adds nothing to.

        Of a lineage those count that were signed last. Every Consent has a base rule for everyone,
        in force whenever one of its rules is.
        """
        return (
            "SELECT coalesce(bool_or(c.closes), false) AS closes,"
            " coalesce(bool_or(NOT c.verdict), false) AS denies, joined(CASE WHEN c.is_of_level"
            f" THEN coalesce({of.labels}, '{{}}') ELSE c.labels END) FILTER (WHERE c.verdict)"
            " AS opened,"
            " coalesce(array_agg(c.name) FILTER (WHERE c.verdict), '{}') AS consents"
            f" FROM ({self._said(of)}) AS c"
            f" WHERE c.signed = c.latest AND {self._is_meant()}"
        )

    def _said(self, of: Subject) -> str:
        """The rules of a patient for the actors with the `verdict` of each on the resource: true if
        it opens it, false if it denies it, NULL if neither; and when the `latest` of its lineage
        was signed."""
        return (
            "SELECT c.patient || '/' || c.consent AS name, c.closes, c.purposes, c.actions,"
            f" c.labels, c.signed, {_is_of_level(of)} AS is_of_level, CASE"
            f" WHEN c.permits IS NULL OR NOT {_touches(of)} THEN NULL"
            f" WHEN c.permits AND NOT c.is_narrow AND {of.seals} IS NULL THEN true"
            f" ELSE weighs(c, {of.marks}, {self._asking}) END AS verdict,"
            " max(c.signed) OVER (PARTITION BY c.lineage) AS latest FROM consent_rule AS c"
            f" WHERE c.patient = {of.patient} AND c.actor = ANY({self.reach})"
            f" AND {ACTIVE.format('c')}"
        )

    def _ties(self, of: Subject) -> str:
        """Relationships that open the resource, as the implicit policy says."""
        alike = groupby(self._permitted.standings, lambda s: replace(s, basis="", is_free=False))
        arms = (
            f"s.basis IN ({literals(each.basis for each in members)}) AND {self._opens(kind, of)}"
            for kind, members in alike
        )
        return (
            f"SELECT FROM relationship AS s WHERE s.patient = {of.patient}"
            f" AND s.actor = ANY({self.reach}) AND {ACTIVE.format('s')}"
            f" AND ({' OR '.join(arms) or 'false'})"
        )

    def _opens(self, standing: Standing, of: Subject) -> str:
        opens = ",".join(standing.opens)
        tests = [f"{of.confidentiality} <= {standing.confidentiality}"]
        tests += [] if standing.is_labelled else [f"{of.labels} IS NULL"]
        tests += ["NOT r.closes"] if standing.is_closable else []
        return " AND ".join([*tests, self._is_unsealed(f"'{{{opens}}}'::text[]", of)])

    def _is_unsealed(self, opens: str, of: Subject) -> str:
        """What the law seals is opened; the author's own notes are open to the author."""
        return (
            f"({of.seals} IS NULL OR {of.seals} <@ ({opens} || CASE WHEN {of.traits} &&"
            f" {self._authorship} THEN '{{{PSYCHOTHERAPY_NOTES}}}'::text[] ELSE '{{}}' END))"
        )

    @property
    def _asking(self) -> str:
        """Who asks, as the functions of the database take it."""
        return self._args.once("asking", ("asking", self._permitted), self._made)

    def _made(self) -> str:
        free = tuple(standing.basis for standing in self._permitted.standings if standing.is_free)
        asked = (self.own, self.reach, self._purposes, self._actions, "now()", self._authorship)
        parts = f"{', '.join(asked)}, {array(free)}, {ATTESTED}"
        return f"SELECT ROW({parts})::asking AS asking"

    def is_related(self) -> str:
        """SQL: relationship `s` is that of the actors, or of who stands for them."""
        bases = literals([standing.basis for standing in self._permitted.standings])
        return f"s.actor = ANY({self.reach}) AND s.basis IN ({bases}) AND {ACTIVE.format('s')}"

    def permits(self) -> str:
        """SQL: rule `c` is a permission for the actors, in force."""
        return f"c.permits AND {self.is_in_force(self.reach)}"

    def is_in_force(self, actors: str) -> str:
        """SQL: rule `c` applies, and no newer consent of its lineage does."""
        return (
            f"{self._is_applying(actors)} AND NOT EXISTS (SELECT FROM consent_rule AS n"
            f" WHERE n.patient = c.patient AND n.actor = '{EVERYONE}'"
            f" AND n.lineage = c.lineage AND n.signed > c.signed AND {ACTIVE.format('n')})"
        )

    def _is_applying(self, actors: str) -> str:
        """Rule `c` is about whoever asks, the purpose, the action, and now."""
        return f"c.actor = ANY({actors}) AND {ACTIVE.format('c')} AND {self._is_meant()}"

    def _is_meant(self) -> str:
        """Rule `c` is about the purpose and the action."""
        return (
            f"(c.purposes IS NULL OR c.purposes && {self._purposes})"
            f" AND (c.actions IS NULL OR c.actions && {self._actions})"
        )

    def opens(self, of: Subject, seal: str) -> str:
        """SQL: rule `c` of this patient opens what bears this seal."""
        named = f"c.patient = {of.patient} AND {seal} = ANY(c.opens)"
        return f"{named} AND {self.permits()} AND {_extends(of)}"


def _extends(of: Subject) -> str:
    """Permission `c` extends to the resource under one of its labels."""
    within = f"is_within(c, {of.marks}, {ATTESTED})"
    return f"{_touches(of)} AND (NOT c.is_narrow OR {within})"


def _touches(of: Subject) -> str:
    return f"({_is_of_level(of)} OR coalesce({of.labels} && c.labels, false))"


def _is_of_level(of: Subject) -> str:
    return f"{of.confidentiality} BETWEEN c.least AND c.most"


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
    groups; that, and who works for the actors (`reach`); and in either whom a rule calls everyone.
    An array, found once in a statement."""
    found = args.once(
        part,
        ("standing", actors),
        lambda: f"SELECT {STANDING} FROM standing_of({args.add(list(actors), 'text[]')})",
    )
    return f"{found}::text[]"
