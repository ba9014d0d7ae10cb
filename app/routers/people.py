"""Whose records a person may open an app with: asked of the engine, as that person."""

import json
from dataclasses import dataclass
from typing import Any

from app.admission import admit
from app.auth.accounts import Account
from app.auth.caller import Caller
from app.auth.clients import Client
from app.auth.scopes import parse
from app.fhir.context import Call, Context
from app.fhir.engine import Engine
from app.fhir.errors import Gone, NotFound
from app.fhir.references import ID
from app.fhir.routing import perform

MOST = 20
"""People that are shown at once."""


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as somebody recognizes them; `id` is the logical id."""

    id: str
    name: str
    birth_date: str | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads as one person would with one app; every read is in the audit trail."""

    engine: Engine
    account: Account
    client: Client
    request_id: str
    address: str | None

    async def people(self, name: str = "") -> tuple[list[Person], bool]:
        """The patients the person may open, perhaps by name; whether there are more of them."""
        query = (("_count", str(MOST)), ("_sort", "family"), *((("name", name),) if name else ()))
        found = await self._ask(Call("search-type", "Patient", query=query))
        has_more = any(link["relation"] == "next" for link in found.get("link", ()))
        return [_person(entry["resource"]) for entry in found.get("entry", ())], has_more

    async def person(self, patient: str) -> Person | None:
        """The patient with this logical id, if the person may open them."""
        if not ID.match(patient):
            return None
        try:
            return _person(await self._ask(Call("read", "Patient", patient)))
        except (NotFound, Gone):
            return None

    async def active_plans(self, patient: str) -> list[dict[str, str]]:
        """The active plans of a patient, as fhirContext has them."""
        query = (("patient", patient), ("status", "active"), ("_elements", "id"))
        found = await self._ask(Call("search-type", "CarePlan", query=query))
        ids = [entry["resource"]["id"] for entry in found.get("entry", ())]
        return [{"reference": f"CarePlan/{id_}"} for id_ in ids]

    async def _ask(self, call: Call) -> Any:
        row = next(r for r in self.engine.routes if r.interaction == call.interaction)
        result = await perform(self._context(), row, call)
        return json.loads(result.content or b"{}")

    def _context(self) -> Context:
        caller = Caller(
            client_id=self.client.id,
            role=self.account.role,
            organization=self.account.organization,
            user=self.account.subject,
            fhir_user=self.account.fhir_user,
            patient=None,
            scopes=parse("user/Patient.rs user/CarePlan.s"),
            extra_scopes=frozenset(),
            purpose=self.client.purpose,
            token_id="",
            expires=0,
        )
        return admit(self.engine, caller, self.request_id, self.address)


def _person(patient: Any) -> Person:
    names = patient.get("name") or [{}]
    best = min(names, key=lambda each: each.get("use") not in ("official", "usual"))
    parts = [*best.get("given", ()), best.get("family")]
    name = best.get("text") or " ".join(part for part in parts if part) or patient["id"]
    return Person(patient["id"], name, patient.get("birthDate"))
