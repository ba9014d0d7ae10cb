"""The roles a client or an account can act in; docs/roles.md says what each may expect."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Role:
    """A role code, who acts in it, and for which purposes of use unless the token names one.

    Who `breaks_glass` treats people: medical personnel in the words of 42 CFR 2.51.
    http://terminology.hl7.org/CodeSystem/v3-ActReason
    """

    code: str
    display: str
    definition: str
    purposes: tuple[str, ...]
    breaks_glass: bool = False


_ROLES = (
    Role("individual", "Individual", "The person whose plan it is.", ("PATRQT",)),
    Role(
        "guardian",
        "Guardian",
        "A legal guardian or conservator who decides with or for the person.",
        ("PWATRNY",),
    ),
    Role(
        "family",
        "Family",
        "A relative or friend whom the person brought into the team.",
        ("FAMRQT", "CAREMGT"),
    ),
    Role(
        "key-worker",
        "Key worker",
        "The case manager who holds the plan together.",
        ("CAREMGT", "COC"),
    ),
    Role("clinician", "Clinician", "A professional who treats the person.", ("TREAT",), True),
    Role(
        "supervisor",
        "Supervisor",
        "Answers for the work of key workers of one organization.",
        ("HOPERAT",),
    ),
    Role(
        "provider-organization",
        "Provider organization",
        "A system of a provider that delivers services.",
        ("TREAT", "CAREMGT"),
        True,
    ),
    Role(
        "ehr-system",
        "EHR system",
        "An electronic health record that pulls the plan.",
        ("TREAT",),
        True,
    ),
    Role(
        "partner-system",
        "Partner system",
        "A care-coordination system that keeps the plan in step.",
        ("CAREMGT", "COC"),
    ),
    Role(
        "payer",
        "Payer",
        "An authority or insurer that authorizes and pays for services.",
        ("HPAYMT",),
    ),
    Role("privacy-officer", "Privacy officer", "Reviews who saw what, and why.", ("HCOMPL",)),
    Role(
        "operator",
        "Operator",
        "Runs the server: loading, migration, measurement; always audited as such.",
        ("HSYSADMIN",),
    ),
)

ROLES: Mapping[str, Role] = MappingProxyType({role.code: role for role in _ROLES})


def check_role(code: str) -> str:
    """The code, if it is one. Raises ValueError that lists the codes."""
    if code not in ROLES:
        raise ValueError(f"unknown role {code!r}; one of {', '.join(ROLES)}")
    return code


def purposes(code: str, named: str | None) -> tuple[str, ...]:
    """What somebody in this role acts for: the purpose the token names, or those of the role."""
    return (named,) if named else ROLES[code].purposes
