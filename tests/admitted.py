"""Contexts as the doorman gives them out, without a token having to be issued; and what to write
under them."""

from typing import Any

from app.admission import admit
from app.auth.caller import Caller
from app.auth.scopes import parse
from app.fhir.change import Change
from app.fhir.context import Context, Resource
from app.fhir.engine import Engine

ALL = "system/*.cruds"


def caller(role: str = "operator", scope: str = ALL, **claims: Any) -> Caller:
    """A caller; `claims` are the further fields of Caller, None or empty without."""
    said = dict.fromkeys(("organization", "user", "fhir_user", "patient", "purpose"), None)
    return Caller(
        client_id=f"client-{role}",
        role=role,
        scopes=parse(scope),
        extra_scopes=frozenset(),
        token_id="t",
        expires=0,
        **(said | claims),
    )


def context(engine: Engine, role: str = "operator", scope: str = ALL, **claims: Any) -> Context:
    """The context of such a caller."""
    return admit(engine, caller(role, scope, **claims), "request")


def put(resource: Resource, **more: Any) -> Change:
    """The resource under its own id, there already or not; `more` are further fields of Change."""
    fields = {"may_create": True} | more
    return Change("update", "PUT", resource["resourceType"], resource["id"], resource, **fields)
