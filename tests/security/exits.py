"""Every way in which something might get out, as requests; and answers without what may differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.fhir.dispatch import ROUTES
from app.fhir.engine import Route
from app.main import OPERATIONS
from tests.build import goal, reference

Json = dict[str, Any]

READS = [
    "Goal/secret",
    "Goal/secret?_elements=description",
    "Goal/secret/_history",
    "Goal/secret/_history/1",
    "CarePlan/secret",
    "Condition/secret",
    "Goal/_history",
    "Goal/_history?_count=2",
    "Goal/_history?_since=2020-01-01T00:00:00Z",
    "Goal/_history?_at=2090",
    "Goal/_history?_sort=_lastUpdated&_before=2090-01-01T00:00:00Z",
    "Goal/_history?_list=secret",
    "_history",
    "_history?_count=3",
    "Goal",
    "Goal?_id=secret",
    "Goal?_id=secret,ada-goal-1",
    "Goal?_total=accurate",
    "Goal?_total=accurate&_count=1",
    "Goal?_summary=count",
    "Goal?_count=0",
    "Goal?_count=1",
    "Goal?_count=1&_sort=start-date",
    "Goal?_sort=-start-date",
    "Goal?_sort=_lastUpdated",
    "Goal?start-date=1999",
    "Goal?start-date:missing=false&_summary=count",
    "Goal?lifecycle-status:not=proposed",
    "Goal?_lastUpdated=gt2020",
    "CarePlan?goal=Goal/secret",
    "CarePlan?goal.start-date=1999",
    "CarePlan?goal:Goal._id=secret",
    "CarePlan?condition.clinical-status=active",
    "CarePlan?_has:Task:focus:status=requested",
    "Goal?_has:CarePlan:goal:_id=secret",
    "Goal?_has:CarePlan:goal:status=revoked",
    "Goal?_has:Task:focus:status=requested",
    "Goal?_has:Task:focus:_id=secret&_summary=count",
    "Patient?_has:Goal:patient:start-date=1999",
    "Patient?_has:CarePlan:patient:goal.start-date=1999",
    "CarePlan?_include=CarePlan:goal",
    "CarePlan?_include=CarePlan:condition",
    "CarePlan?_include=CarePlan:care-team",
    "CarePlan?_include=*",
    "CarePlan?_id=ada-plan&_include=CarePlan:*&_summary=true",
    "Goal?_revinclude=CarePlan:goal",
    "Goal?_id=ada-goal-1&_revinclude=Task:focus",
    "Goal?_id=ada-goal-1&_revinclude=CarePlan:*",
    "Patient?_revinclude=Goal:patient",
    "Patient?_revinclude=CarePlan:subject&_include:iterate=CarePlan:goal",
    "Goal?_id=ada-goal-1&_revinclude=CarePlan:goal&_include:iterate=CarePlan:condition",
    "Goal?_id=ada-goal-1&_revinclude=Task:focus&_revinclude:iterate=Task:part-of",
    "Patient/ada/CarePlan?_include=CarePlan:goal",
    "CarePlan/ada-plan/$isp-bundle",
    "CarePlan/ada-plan/$isp-diff?from=1",
    "CarePlan/ada-plan/$document",
    "CarePlan/ada-plan/$document?_format=html",
    "Patient/eve/*",
    "?_type=Goal,CarePlan&_total=accurate&_count=1",
    "?_id=secret",
    "Goal?_filter=start-date eq 1999",
    "CarePlan?_filter=goal[_id eq secret].start-date pr true",
    "Patient?_filter=_has:Goal:patient:start-date eq 1999",
    "Goal?_id=ada-goal-1&_revinclude=*",
]

FORMS = ["Goal", "Goal?_id=secret", "CarePlan?goal.start-date=1999", "CarePlan?_include=*"]


@dataclass(frozen=True, slots=True)
class Exit:
    method: str
    url: str
    body: Json | None = None
    headers: Sequence[tuple[str, str]] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


def bundle(type_: str, *entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": type_, "entry": list(entries)}


def entry(method: str, url: str, resource: Json | None = None) -> Json:
    request: Json = {"request": {"method": method, "url": url}}
    return request | ({"resource": resource} if resource else {})


def showing() -> list[Exit]:
    """Exits that would show the secret to whoever may see it."""
    plain = [Exit("GET", f"/{url}") for url in READS]
    forms = [Exit("POST", f"/{url.replace('?', '/_search?')}") for url in FORMS if "?" in url]
    batch = bundle("batch", *(entry("GET", url) for url in READS))
    transaction = bundle(
        "transaction", entry("GET", "Goal"), entry("GET", "CarePlan?_include=CarePlan:goal")
    )
    known = Exit("GET", "/Goal/secret", headers=[("If-None-Match", 'W/"1"')])
    head = Exit("HEAD", "/Goal/secret")
    wholes = [Exit("POST", "/", batch), Exit("POST", "/", transaction)]
    return [*plain, *forms, known, head, *wholes]


def writing() -> list[Exit]:
    """Exits whose refusal would tell that the secret is there. None changes anything."""
    taken = goal("secret", startDate="2026-01-01")
    stale, fresh = [("If-Match", 'W/"7"')], [("If-Match", 'W/"1"')]
    once, done = [("If-None-Exist", "_id=secret")], {"lifecycleStatus": "completed"}
    merge = [("Content-Type", "application/merge-patch+json")]
    where = {"request": {"method": "DELETE", "url": "Goal?_id=secret"}}
    put, read = entry("PUT", "Goal/secret", taken), entry("GET", "Goal/secret")
    return [
        Exit("PUT", "/Goal/secret", taken),
        Exit("PUT", "/Goal/secret", taken, stale),
        Exit("PUT", "/Goal/secret", taken, fresh),
        Exit("DELETE", "/Goal/secret"),
        Exit("DELETE", "/Goal/secret", headers=stale),
        Exit("PATCH", "/Goal/secret", done, merge),
        Exit("PATCH", "/Goal/secret", done, [*merge, *stale]),
        Exit("PATCH", "/Goal?_id=secret", done, merge),
        Exit("DELETE", "/Goal?_id=secret"),
        Exit("DELETE", "/Goal?_id=secret", headers=stale),
        Exit("PUT", "/Goal?_id=secret", taken),
        Exit("PUT", "/Goal?_id=secret", taken, stale),
        Exit("POST", "/Goal", {**taken, "subject": reference("Patient/none")}, once),
        Exit("POST", "/", bundle("batch", where)),
        Exit("POST", "/", bundle("transaction", where)),
        Exit("POST", "/", bundle("batch", put, read)),
        Exit("POST", "/", bundle("transaction", put)),
        Exit("POST", "/", bundle("transaction", read)),
        *guessing(taken),
    ]


def guessing(taken: Json) -> list[Exit]:
    """Exits by which one could find out what it is like, without being shown it."""
    patch = [("Content-Type", "application/json-patch+json")]
    tests = [[{"op": "test", "path": "/id", "value": value}] for value in ("secret", "other")]
    create = entry("POST", "Goal", {**taken, "subject": reference("Patient/none")})
    create["request"]["ifNoneExist"] = "_id=secret"
    tag = {"tag": [{"system": "http://tag.example", "code": "mine"}]}
    return [
        *(Exit("PATCH", "/Goal/secret", test, patch) for test in tests),
        *(Exit("PATCH", "/Goal?_id=secret", test, patch) for test in tests),
        Exit("PUT", "/Goal/secret", taken, [("If-None-Match", "*")]),
        Exit("POST", "/", bundle("transaction", create)),
        Exit("POST", "/", bundle("batch", create)),
        Exit("POST", "/Goal/secret/$validate", parameter("mode", valueCode="delete")),
        Exit("POST", "/Goal/secret/$meta-add", parameter("meta", valueMeta=tag)),
    ]


def parameter(name: str, **value: Json | str) -> Json:
    return {"resourceType": "Parameters", "parameter": [{"name": name, **value}]}


def referring() -> list[Exit]:
    """Exits that refer to the secret, each refused as long as it may not be known of."""
    mine = goal("ada-goal-2", addresses=[reference("Condition/secret")])
    meant = goal("ada-goal-2", addresses=[reference("Condition?_id=secret")])
    merge = [("Content-Type", "application/merge-patch+json")]
    return [
        Exit("PUT", "/Goal/ada-goal-2", mine),
        Exit("POST", "/Goal", mine),
        Exit("POST", "/Goal", goal(expressedBy=reference("Patient/eve"))),
        Exit("POST", "/Goal", goal(addresses=[reference("Condition/secret/_history/1")])),
        Exit("POST", "/Provenance", told("Goal/secret")),
        Exit("POST", "/Provenance", told("Goal/secret/_history/1")),
        Exit("PATCH", "/Goal/ada-goal-2", {"addresses": mine["addresses"]}, merge),
        Exit("POST", "/", bundle("transaction", entry("POST", "Goal", meant))),
        Exit("POST", "/", bundle("batch", entry("POST", "Goal", mine))),
        Exit("POST", "/", bundle("transaction", entry("POST", "Goal", mine))),
    ]


def told(of: str) -> Json:
    """A Provenance of what it may not know of."""
    made: Json = {"resourceType": "Provenance", "recorded": "2026-01-01T00:00:00Z"}
    agents = [{"who": reference("Organization/partner")}]
    return made | {"target": [reference(of), reference("Goal/ada-goal-1")], "agent": agents}


PARAMETERS: Json = {"resourceType": "Parameters"}
BODIES = {"PUT": goal("secret"), "PATCH": [], "DELETE": None, "GET": None}
BY_HAND = frozenset({"create", "transaction", "batch", "operation"})
"""Interactions whose exits are written above or follow from the operations, not from their row."""


def switchboard() -> list[Exit]:
    """One exit for every row of the switchboard, and for every level of every operation."""
    rows = [row for row in ROUTES if row.interaction not in BY_HAND]
    found = [Exit(row.method, f"/{_filled(row.path)}", _body(row)) for row in rows]
    for operation in OPERATIONS.values():
        type_ = min(operation.types, default="Goal")
        places = {"instance": f"/{type_}/secret", "type": f"/{type_}", "system": ""}
        for level in sorted(operation.levels):
            url = f"{places[level]}/${operation.name}"
            found += [Exit("POST", url, PARAMETERS), Exit("GET", url)]
    return [*found, *asking()]


def asking() -> list[Exit]:
    """Operations that read around the secret."""
    about = [{"name": "query", "valueString": "Goal"}]
    decision = {**PARAMETERS, "parameter": about}
    return [
        Exit("GET", "/CarePlan/ada-plan/$isp-validate?date=2026-01-01"),
        Exit("GET", "/CarePlan/$due-reviews?by=2090-01-01"),
        Exit("POST", "/Patient/ada/$consent-decision", decision),
        *(Exit("GET", f"/{url}") for url in AROUND),
        Exit("POST", "/Goal/$validate", goal(addresses=[reference("Condition/secret")])),
        Exit("GET", "/Goal?colour=red&_count=1", headers=[("Prefer", "handling=lenient")]),
        Exit("POST", "/Goal/secret/$validate", goal("secret")),
    ]


AROUND = [
    "metadata",
    "Goal/secret?_format=xml",
    "Goal?_format=xml",
    "Patient/eve",
    "Patient/eve/$everything",
    "Patient/ada/$everything?_count=1",
    "Patient/eve/$disclosures",
    "Patient/eve/$consent-decision",
    "CarePlan/$isp-metrics",
    "CarePlan/$isp-metrics?patient=Patient/eve",
    "CarePlan/ada-plan/$isp-validate",
    "Goal?patient=eve&_summary=count",
    "Goal?subject:Patient._id=eve",
    "Goal/ada-goal-1/$progress-chart",
    "AuditEvent?entity=Goal/secret",
]
"""Further ways to ask around it, and for the person it is about."""


def entries(ways: list[Exit]) -> set[tuple[str, str]]:
    """The requests within the Bundles among them."""
    bundles = [way.body for way in ways if isinstance(way.body, dict) and "entry" in way.body]
    requests = [each["request"] for body in bundles for each in body["entry"]]
    return {(request["method"], f"/{request['url']}") for request in requests}


def _filled(path: str) -> str:
    names = {"[type]": "Goal", "[id]": "secret", "[vid]": "1", "[compartment]": "Encounter"}
    for name, value in names.items():
        path = path.replace(name, value)
    return path


def _body(row: Route) -> Any:
    return BODIES.get(row.method)
