"""The JSON of AuditEvents after IHE BALP: who did what to whose record.

A success about no or one patient conforms to the Basic Audit profile of its interaction; of a call
that was about several, `audit_rows` makes one event for each, as BALP wants it.
https://profiles.ihe.net/ITI/BALP/ (1.1.4), https://hl7.org/fhir/R4/auditevent.html
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.fhir import json
from app.fhir.audit_codes import (
    BALP_ENTITY,
    ENTITY_ROLE,
    ENTITY_TYPE,
    HISTORY,
    INTERACTION,
    OTHER,
    PATTERNS,
    PROFILE,
    PURPOSE,
    QUERY,
    RESOURCE,
    RESPONSIBLE,
    REST,
    SOURCE_TYPE,
    SUBTYPE,
    TYPE,
    Pattern,
)
from app.fhir.context import Agent

SUCCESS, MINOR_FAILURE, SERIOUS_FAILURE = "0", "4", "8"
"""Codes of http://hl7.org/fhir/audit-event-outcome."""


@dataclass(frozen=True, slots=True)
class Audited:
    """One interaction as it ended.

    `outcome` is a code of http://hl7.org/fhir/audit-event-outcome, `status` the HTTP status,
    `query` the parameters as asked, `patients` the logical ids of whom it was about; `reason` says
    why it was refused, or why it was allowed beyond the ordinary, without personal data. A query
    that `is_query_apart` tells of others too, and is not for those the interaction was about.
    `consents` ("patient/id") are those of the patients that permit it.
    """

    interaction: str
    outcome: str
    status: int
    type: str | None = None
    id: str | None = None
    version: str | None = None
    patients: tuple[str, ...] = ()
    query: str | None = None
    is_query_apart: bool = False
    consents: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def pattern(self) -> Pattern:
        """How BALP records this kind of interaction."""
        return PATTERNS.get(self.interaction, OTHER)


def outcome_of(status: int) -> str:
    """The audit outcome of an HTTP status: the caller's failure is minor, ours is serious."""
    if status < 400:
        return SUCCESS
    return MINOR_FAILURE if status < 500 else SERIOUS_FAILURE


@lru_cache(maxsize=256)
def _claim(interaction: str, outcome: str, *, is_about_one: bool) -> str:
    """The member that claims the BALP profile of such an event, "" for none (failures)."""
    name = PATTERNS.get(interaction, OTHER).profile
    if not name or outcome != SUCCESS:
        return ""
    return f',"profile":["{PROFILE}{"Patient" if is_about_one else ""}{name}"]'


def constant(agent: Agent, base_url: str, interaction: str, outcome: str) -> str:
    """The members of an event that stay the same as long as one agent does one thing."""
    pattern = PATTERNS.get(interaction, OTHER)
    subtype = SUBTYPE.get(interaction, (INTERACTION, interaction))
    return _members(
        {
            "type": _coding(*TYPE.get(interaction, REST)),
            "subtype": [_coding(*subtype)],
            "action": pattern.action,
            "outcome": outcome,
            "agent": _agents(pattern, agent, base_url),
            "source": {
                "observer": {"display": base_url},
                "type": [_coding(SOURCE_TYPE, "4")],
            },
        }
    )


def _members(element: dict[str, Any]) -> str:
    return json.dump(element).decode()[1:-1]


def _agents(pattern: Pattern, agent: Agent, base_url: str) -> list[dict[str, Any]]:
    """The application, who is signed in, for whom they act, and this server; one of them asked."""
    client, user = _client(pattern, agent), _user(pattern, agent)
    (user or client).update(_authorization(agent, base_url))
    server = {
        "type": _concept(*pattern.server),
        "who": {"display": base_url},
        "requestor": False,
        "network": {"address": base_url, "type": "5"},
    }
    return [found for found in (client, user, _organization(agent), server) if found]


def _client(pattern: Pattern, agent: Agent) -> dict[str, Any]:
    return {
        "type": _concept(*pattern.client),
        "who": {"identifier": {"value": agent.client}},
        "requestor": False,
        "network": {"address": agent.address or "localhost", "type": "2" if agent.address else "1"},
    }


def _user(pattern: Pattern, agent: Agent) -> dict[str, Any]:
    if agent.fhir_user is None and agent.user is None:
        return {}
    who = {"reference": agent.fhir_user} if agent.fhir_user else {"display": agent.user}
    login = {"altId": agent.user} if agent.user else {}
    return {"type": _concept(*pattern.user), "who": who, "requestor": True} | login


def _organization(agent: Agent) -> dict[str, Any]:
    if agent.organization is None:
        return {}
    who = {"reference": agent.organization}
    return {"type": _concept(*RESPONSIBLE), "who": who, "requestor": False}


def _authorization(agent: Agent, base_url: str) -> dict[str, Any]:
    """By what role, for what purpose and with which token the requestor acts."""
    found: dict[str, Any] = {"requestor": True}
    found["role"] = [_concept(f"{base_url}/CodeSystem/role", agent.role)]
    if agent.purpose:
        found["purposeOfUse"] = [_concept(PURPOSE, agent.purpose)]
    if agent.token:
        found["policy"] = [agent.token]
    return found


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [_coding(system, code)]}


def _coding(system: str, code: str) -> dict[str, str]:
    return {"system": system, "code": code}


def event(id_: str, instant: str, fixed: str, audited: Audited, request_id: str) -> str:
    """The JSON of an event; `fixed` are its constant members, `instant` is a FHIR instant."""
    is_about_one = len(audited.patients) == 1
    claim = _claim(audited.interaction, audited.outcome, is_about_one=is_about_one)
    return (
        f'{{"resourceType":"AuditEvent","id":"{id_}","meta":{{"versionId":"1","lastUpdated":"{instant}"'
        f'{claim}}},"recorded":"{instant}",{fixed}{_outcome(audited)},'
        f'"entity":[{",".join(_entities(audited, request_id))}]}}'
    )


def _outcome(audited: Audited) -> str:
    if audited.outcome == SUCCESS and not audited.reason:
        return ""
    return ',"outcomeDesc":' + _text(f"{audited.status} {audited.reason or ''}".rstrip())


def _entities(audited: Audited, request_id: str) -> list[str]:
    found = [_data(audited)] if has_data(audited) else []
    found += [_PATIENT % id_ for id_ in audited.patients]
    found += [_CONSENT % named for named in consents(audited)]
    if has_query(audited):
        found.append(_QUERY % _base64(f"{audited.type or ''}?{audited.query or ''}"))
    return [*found, _REQUEST % _text(request_id)]


def party(patient: str, named: Sequence[str]) -> str:
    """The entities that name a patient (logical id) and their Consents (references)."""
    own = _PATIENT % patient
    return ",".join([own, *(_CONSENT % each for each in named)]) if named else own


def consents(audited: Audited) -> list[str]:
    """The references to the Consents by which its one patient permits it; else to none."""
    if not audited.consents or len(audited.patients) != 1:
        return []
    pairs = (each.split("/") for each in audited.consents)
    return [f"Consent/{id_}" for patient, id_ in pairs if patient == audited.patients[0]]


def has_data(audited: Audited) -> bool:
    """Whether a resource or type is named as what was acted on; BALP forbids it in a query."""
    return audited.type is not None and audited.pattern is not QUERY


def has_query(audited: Audited) -> bool:
    """Whether the parameters are an entity of their own; BALP forbids it beside a resource."""
    pattern = audited.pattern
    if pattern is HISTORY or pattern is OTHER:
        return bool(audited.query)
    return pattern is QUERY


def reference(audited: Audited) -> str:
    """The versioned reference to what was acted on, "" when it has no id."""
    if audited.type is None or audited.id is None:
        return ""
    version = f"/_history/{audited.version}" if audited.version else ""
    return f"{audited.type}/{audited.id}{version}"


def _data(audited: Audited) -> str:
    """Conditional writes have parameters too: they are a detail of the resource."""
    literal = reference(audited)
    what = f'"reference":{_text(literal)}' if literal else f'"display":{_text(audited.type or "")}'
    detail = ""
    if audited.query and not has_query(audited):
        detail = _DETAIL % _base64(audited.query)
    return _DATA % (what, detail)


_DATA = (
    f'{{"what":{{%s}},"type":{{"system":"{ENTITY_TYPE}","code":"2"}},'
    f'"role":{{"system":"{ENTITY_ROLE}","code":"4"}}%s}}'
)
_DETAIL = ',"detail":[{"type":"query","valueBase64Binary":"%s"}]'
_PATIENT = (
    f'{{"what":{{"reference":"Patient/%s"}},"type":{{"system":"{ENTITY_TYPE}","code":"1"}},'
    f'"role":{{"system":"{ENTITY_ROLE}","code":"1"}}}}'
)
_CONSENT = f'{{"what":{{"reference":"%s"}},"type":{{"system":"{RESOURCE}","code":"Consent"}}}}'
"""As the entity `consent` of the BALP profile for a decision by Consent."""
_QUERY = (
    f'{{"type":{{"system":"{ENTITY_TYPE}","code":"2"}},'
    f'"role":{{"system":"{ENTITY_ROLE}","code":"24"}},"query":"%s"}}'
)
_REQUEST = (
    '{"what":{"identifier":{"value":%s}},'
    f'"type":{{"system":"{BALP_ENTITY}","code":"XrequestId"}}}}'
)


def _base64(text: str) -> str:
    return b64encode(text.encode("utf-8", "backslashreplace")).decode()


def clean(text: str) -> str:
    """The text with `?` for what a FHIR string cannot hold: control characters, half surrogates."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else "?" for each in text)


def _text(text: str) -> str:
    return json.dump(clean(text)).decode()
