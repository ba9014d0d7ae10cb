"""Access to SQL: what an Access asks of a resource `h`.

Used by `visible`, which alone says where `h` comes from.
"""

from collections.abc import Sequence

from app.fhir.access import (
    Access,
    All,
    AnyOf,
    ByAgent,
    Everything,
    InCompartment,
    Matching,
    Nothing,
    Permitted,
    Related,
    for_type,
    permissions,
)
from app.fhir.compartments import DIRECTORY, is_single
from app.fhir.consented import Consented, Subject, related, unmarked
from app.fhir.search.parameters import criterion
from app.storage.sql import Arguments, literals

LIKE = (
    "h.patient = t.patient AND h.confidentiality = t.confidentiality"
    " AND h.labels IS NOT DISTINCT FROM t.labels AND t.seals IS NULL"
)
"""SQL: resource `t` is like resource `h`: about the same patient, with the same marks, no seal."""

Kind = tuple[Access, list[str]]
"""Types that an access treats alike, and what it is when specialised to them."""


def kinds(access: Access, names: tuple[str, ...]) -> list[Kind]:
    """The groups of types that the access treats alike, each with what it is for them."""
    groups: dict[tuple[Access, str], list[str]] = {}
    for name in names:
        special = for_type(access, name)
        if not isinstance(special, Nothing):
            groups.setdefault((special, about(name)), []).append(name)
    return [(special, members) for (special, _), members in groups.items()]


def is_weighed(access: Access, type_: str) -> bool:
    """Whether consents have a say in what the access opens of this type."""
    return about(type_) != "nobody" and any(permissions(access))


def is_by_marks(access: Access) -> bool:
    """Whether the access asks nothing of a resource but whom it is about, and its marks."""
    match access:
        case Everything() | Nothing() | InCompartment() | Related() | Permitted():
            return True
        case All(parts) | AnyOf(parts):
            return all(map(is_by_marks, parts))
    return False


def weighed(groups: Sequence[Kind], args: Arguments) -> str:
    """SQL after FROM … AS h: weighs consents once for each row; `w.consents` has those by which it
    is let through."""
    found = [_consents(special, members[0], args) for special, members in groups]
    types = [literals(members) for _, members in groups]
    cases = (
        f"WHEN h.type IN ({each}) THEN ({one})" for each, one in zip(types, found, strict=True)
    )
    consents = f"SELECT CASE {' '.join(cases)} END AS consents" if len(groups) > 1 else found[0]
    return (
        # Without OFFSET it would be written into both places that ask for it, and run in each.
        f"CROSS JOIN LATERAL ({consents} OFFSET 0) AS w"
        f" WHERE h.type IN ({', '.join(types)}) AND w.consents IS NOT NULL"
    )


def about(type_: str) -> str:
    """How many patients a resource of the type is about: "nobody", "one" or "several"."""
    if type_ in DIRECTORY:
        return "nobody"
    return "one" if is_single(type_) else "several"


def arm(access: Access, members: list[str], args: Arguments) -> str:
    """The condition for the types of a kind, where nobody needs to know by which consents."""
    condition = _condition(access, members[0], args)
    return f"(h.type IN ({literals(members)}) AND {condition})"


def _consents(access: Access, type_: str, args: Arguments) -> str:
    """SELECT consents: those by which the access lets `h` through, NULL if it does not."""
    match access:
        case Permitted() if about(type_) != "nobody":
            return _of_all(access, type_, args)
        case All(parts) | AnyOf(parts) if is_weighed(access, type_):
            named = next(part for part in parts if is_weighed(part, type_))
            others = tuple(part for part in parts if part is not named)
            consents, rest = _consents(named, type_, args), _joined(access, others, type_, args)
            if isinstance(access, All):
                return f"SELECT CASE WHEN {rest} THEN ({consents}) END AS consents"
            free = f"CASE WHEN {rest} THEN '{{}}'::text[] END"
            return f"SELECT coalesce(({consents}), {free}) AS consents"
    condition = _condition(access, type_, args)
    return f"SELECT CASE WHEN {condition} THEN '{{}}'::text[] END AS consents"


def _condition(access: Access, type_: str, args: Arguments) -> str:
    match access:
        case Everything():
            return "true"
        case All(parts) | AnyOf(parts):
            return _joined(access, parts, type_, args)
        case InCompartment(patient):
            return _in_compartment(patient, type_, args)
        case Related() | Permitted():
            return _of_each(access, type_, args)
        case Matching() | ByAgent():
            return _by_content(access, type_, args)
    return "false"


def _joined(access: All | AnyOf, parts: Sequence[Access], type_: str, args: Arguments) -> str:
    word = " AND " if isinstance(access, All) else " OR "
    return f"({word.join(_condition(part, type_, args) for part in parts)})"


def _by_content(access: Matching | ByAgent, type_: str, args: Arguments) -> str:
    if isinstance(access, ByAgent):
        done = f"h.targets && {args.add(list(access.agents), 'bigint[]')}"
        return f"(NOT {done})" if access.of_others else f"({done})"
    tests = (criterion(type_, code, value, args, alias="h") for code, value in access.query)
    return "(" + " AND ".join(tests) + ")"


def _in_compartment(patient: str, type_: str, args: Arguments) -> str:
    match about(type_):
        case "nobody":
            return "true"
        case "one":
            return f"h.patient = {args.add(patient)}"
    return f"h.patients = ARRAY[{args.add(patient, 'text')}]"


def _of_all(access: Permitted, type_: str, args: Arguments) -> str:
    """SELECT consents: those of all the patients that a resource is about, of one or several; NULL
    if one of them does not permit it, or it is about nobody."""
    describe = unmarked if type_ == "AuditEvent" else Subject
    asked = Consented(access, args)
    if about(type_) == "one":
        return asked.test(describe("h.patient"))
    return (
        "SELECT CASE WHEN bool_and(t.consents IS NOT NULL) THEN joined(t.consents) END AS consents"
        " FROM unnest(h.patients) AS p"
        f" CROSS JOIN LATERAL ({asked.test(describe('p'))} OFFSET 0) AS t"
    )


def _of_each(access: Related | Permitted, type_: str, args: Arguments) -> str:
    """The condition for the patient, or for every one of the patients, a resource is about."""
    match about(type_):
        case "nobody":
            return "true"
        case _ if isinstance(access, Permitted):
            return f"(({_of_all(access, type_, args)}) IS NOT NULL)"
        case "one":
            return related(access, args, "h.patient")
    return (
        "(cardinality(h.patients) > 0 AND NOT EXISTS"
        f" (SELECT FROM unnest(h.patients) AS p WHERE NOT {related(access, args, 'p')}))"
    )
