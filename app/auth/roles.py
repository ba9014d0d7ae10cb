"""The roles a client or an account can act in; docs/roles.md says what each may expect."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Role:
    """A role code and who acts in it."""

    code: str
    display: str
    definition: str


_ROLES = (
    Role("individual", "Individual", "The person whose plan it is."),
    Role(
        "guardian",
        "Guardian",
        "A legal guardian or conservator who decides with or for the person.",
    ),
    Role(
        "family",
        "Family",
        "A relative or friend whom the person brought into the team.",
    ),
    Role("key-worker", "Key worker", "The case manager who holds the plan together."),
    Role("clinician", "Clinician", "A professional who treats the person."),
    Role(
        "supervisor",
        "Supervisor",
        "Answers for the work of key workers of one organization.",
    ),
    Role(
        "provider-organization",
        "Provider organization",
        "A system of a provider that delivers services.",
    ),
    Role("ehr-system", "EHR system", "An electronic health record that pulls the plan."),
    Role(
        "partner-system",
        "Partner system",
        "A care-coordination system that keeps the plan in step.",
    ),
    Role(
        "payer",
        "Payer",
        "An authority or insurer that authorizes and pays for services.",
    ),
    Role("privacy-officer", "Privacy officer", "Reviews who saw what, and why."),
    Role(
        "operator",
        "Operator",
        "Runs the server: loading, migration, measurement; always audited as such.",
    ),
)

ROLES: Mapping[str, Role] = MappingProxyType({role.code: role for role in _ROLES})


def check_role(code: str) -> str:
    """The code, if it is one. Raises ValueError that lists the codes."""
    if code not in ROLES:
        raise ValueError(f"unknown role {code!r}; one of {', '.join(ROLES)}")
    return code
