"""What the OpenAPI document says by hand: a line per interaction, shared parameters, answers."""

from dataclasses import dataclass, replace
from typing import Any

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Summary:
    """An interaction in the words of a reader.

    `parameters` are names in PARAMETERS. `answer` is the schema of a success, "" for the type
    itself, "none" for an answer without content; `failures` are keys of ANSWERS.
    """

    summary: str
    anchor: str
    status: str = "200"
    parameters: tuple[str, ...] = ("_format", "_pretty")
    answer: str = ""
    failures: tuple[str, ...] = ("401", "403", "404")


def ref(kind: str, name: str) -> Item:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


SHOWN = ("_summary", "_elements", "_format", "_pretty")
PAGED = ("_count", *SHOWN)
SEARCHED = ("_sort", "_total", "_include", "_revinclude", *PAGED, "Prefer")
SEARCH = Summary(
    "Search", "search", parameters=SEARCHED, answer="Bundle", failures=("202", "401", "403")
)
BUNDLE = Summary(
    "Perform many interactions",
    "transaction",
    parameters=("Prefer", "_format", "_pretty"),
    answer="Bundle",
    failures=("202", "401", "403", "404", "409", "412", "413", "415", "422"),
)
TIMES = ("_since", "_before", "_at", "_list", "_sort")
HISTORY = Summary(
    "What changed",
    "history",
    parameters=(*TIMES, *PAGED, "Prefer"),
    answer="Bundle",
    failures=("202", "401", "403", "404"),
)
OPERATION = Summary("Operation", "operations", answer="Resource")

CHANGED = ("401", "403", "404", "409", "410", "412", "413", "415", "422")

SUMMARIES = {
    "capabilities": Summary(
        "What this server can do", "capabilities", answer="CapabilityStatement", failures=()
    ),
    "read": Summary(
        "The current version",
        "read",
        parameters=("If-None-Match", "If-Modified-Since", *SHOWN),
        failures=("304", "401", "403", "404", "410"),
    ),
    "vread": Summary(
        "One version",
        "vread",
        parameters=("If-None-Match", "If-Modified-Since", *SHOWN),
        failures=("304", "401", "403", "404", "410"),
    ),
    "create": Summary(
        "Create with an id of the server's choice",
        "create",
        "201",
        ("If-None-Exist", "Prefer", "_format", "_pretty"),
        failures=("401", "403", "412", "413", "415", "422"),
    ),
    "update": Summary(
        "Replace the current version",
        "update",
        parameters=("If-Match", "If-None-Match", "Prefer", "_format", "_pretty"),
        failures=("401", "403", "404", "409", "412", "413", "415", "422"),
    ),
    "delete": Summary(
        "Delete",
        "delete",
        "204",
        ("If-Match",),
        answer="none",
        failures=("401", "403", "404", "409", "412"),
    ),
    "patch": Summary(
        "Change the current version in part",
        "patch",
        parameters=("If-Match", "Prefer", "_format", "_pretty"),
        failures=CHANGED,
    ),
    "conditional-update": Summary(
        "Replace what the criteria match, or create it",
        "cond-update",
        parameters=("any", "If-Match", "If-None-Match", "Prefer", "_format", "_pretty"),
        failures=CHANGED,
    ),
    "conditional-patch": Summary(
        "Change in part what the criteria match",
        "patch",
        parameters=("any", "If-Match", "Prefer", "_format", "_pretty"),
        failures=CHANGED,
    ),
    "conditional-delete": Summary(
        "Delete what the criteria match",
        "3.1.0.7.1",
        "204",
        ("any", "If-Match"),
        answer="none",
        failures=("401", "403", "404", "409", "412"),
    ),
    "history-instance": HISTORY,
    "history-type": HISTORY,
    "history-system": HISTORY,
    "search-type": SEARCH,
    "search-compartment": SEARCH,
    "search-system": replace(SEARCH, parameters=("_type", *SEARCHED, "any")),
    "transaction": BUNDLE,
    "batch": BUNDLE,
    "operation": OPERATION,
    "asynchronous-status": Summary(
        "What became of a request with Prefer: respond-async",
        "async",
        answer="Bundle",
        failures=("202", "401", "404"),
    ),
    "asynchronous-cancel": Summary(
        "Cancel a request with Prefer: respond-async, or throw its answer away",
        "async",
        "202",
        answer="none",
        failures=("401", "404"),
    ),
}

STRING: Item = {"type": "string"}
ID: Item = {"type": "string", "pattern": "^[A-Za-z0-9\\-.]{1,64}$"}
COUNT: Item = {"type": "integer", "minimum": 0}
BOOLEAN: Item = {"type": "boolean"}
INSTANT: Item = {"type": "string", "format": "date-time"}
SUMMARY: Item = {"enum": ["true", "false", "text", "data", "count"]}


def _parameter(name: str, place: str, schema: Item, description: str) -> Item:
    found = {"name": name, "in": place, "description": description, "schema": schema}
    return found | ({"required": True} if place == "path" else {})


PARAMETERS: dict[str, Item] = {
    "id": _parameter("id", "path", ID, "Logical id"),
    "vid": _parameter("vid", "path", ID, "Version id"),
    "_format": _parameter("_format", "query", STRING, "Overrides Accept: json or xml"),
    "_pretty": _parameter("_pretty", "query", BOOLEAN, "Indented JSON"),
    "_summary": _parameter("_summary", "query", SUMMARY, "A predefined part of each resource"),
    "_elements": _parameter("_elements", "query", STRING, "Top-level elements, comma-separated"),
    "_count": _parameter("_count", "query", COUNT, "Entries on a page"),
    "_since": _parameter("_since", "query", INSTANT, "Only versions from this instant on"),
    "_before": _parameter("_before", "query", INSTANT, "Only versions before this instant"),
    "_list": _parameter("_list", "query", STRING, "Only what this List refers to"),
    "_at": _parameter("_at", "query", STRING, "Only versions current at some time in this period"),
    "_sort": _parameter("_sort", "query", STRING, "Parameters to sort by, descending with a -"),
    "_total": _parameter("_total", "query", {"enum": ["none", "estimate", "accurate"]}, "Count"),
    "_include": _parameter("_include", "query", STRING, "Type:parameter[:Target] to add"),
    "_revinclude": _parameter("_revinclude", "query", STRING, "Type:parameter that points here"),
    "_type": _parameter("_type", "query", STRING, "Types to search, comma-separated"),
    "If-Match": _parameter("If-Match", "header", STRING, 'The version believed current: W/"1"'),
    "If-None-Match": _parameter("If-None-Match", "header", STRING, 'The version you have: W/"1"'),
    "If-None-Exist": _parameter(
        "If-None-Exist", "header", STRING, "Create only if these search parameters match nothing"
    ),
    "If-Modified-Since": _parameter("If-Modified-Since", "header", STRING, "An HTTP date"),
    "Prefer": _parameter(
        "Prefer",
        "header",
        STRING,
        "return=minimal|representation|OperationOutcome, handling=strict|lenient, respond-async",
    ),
    "any": _parameter(
        "any", "query", {"type": "object", "additionalProperties": STRING}, "Search parameters"
    )
    | {"style": "form", "explode": True},
}

RESOURCE: Item = {
    "type": "object",
    "required": ["resourceType"],
    "properties": {"resourceType": STRING, "id": ID, "meta": {"type": "object"}},
}


def _transient(type_: str) -> Item:
    return {
        "allOf": [ref("schemas", "Resource"), {"properties": {"resourceType": {"const": type_}}}]
    }


SCHEMAS: dict[str, Item] = {
    "Resource": RESOURCE,
    "OperationOutcome": _transient("OperationOutcome"),
    "Parameters": _transient("Parameters"),
    "Patch": {"anyOf": [{"type": "array", "items": {"type": "object"}}, {"type": "object"}]},
    "token": {"type": "string", "description": "code, system|code, |code or system|"},
    "string": {"type": "string", "description": "begins with, whatever case and accents"},
    "date": {"type": "string", "description": "[eq|ne|gt|lt|ge|le|sa|eb|ap]YYYY[-MM[-DD[Thh:mm]]]"},
    "reference": {"type": "string", "description": "id, Type/id or URL"},
    "number": {"type": "string", "description": "[eq|ne|gt|lt|ge|le|sa|eb|ap]number"},
    "quantity": {"type": "string", "description": "[prefix]number[|system|code]"},
    "special": {"type": "string"},
    "composite": {"type": "string", "description": "value$value, both of one element"},
    "uri": {"type": "string", "format": "uri-reference"},
}

ANSWERS = {
    "202": "Accepted",
    "304": "NotModified",
    "400": "BadRequest",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "NotFound",
    "409": "Conflict",
    "410": "Gone",
    "412": "PreconditionFailed",
    "413": "TooLarge",
    "415": "UnsupportedMediaType",
    "422": "Unprocessable",
    "503": "Unavailable",
}
"""By status: the name of the answer in RESPONSES."""

OUTCOME: Item = {
    f"application/fhir+{form}": {"schema": ref("schemas", "OperationOutcome")}
    for form in ("json", "xml")
}
LATER: Item = {"Content-Location": {"schema": STRING, "description": "Where to ask for the answer"}}
RESPONSES: dict[str, Item] = {
    "Accepted": {"description": "Not done yet; Prefer: respond-async", "headers": LATER},
    "NotModified": {"description": "You have the current version"},
    "BadRequest": {"description": "Something in the request cannot be read", "content": OUTCOME},
    "Unauthorized": {"description": "No token, or not a valid one", "content": OUTCOME},
    "Forbidden": {"description": "The token does not permit this", "content": OUTCOME},
    "NotFound": {"description": "Does not exist, or is not known to you", "content": OUTCOME},
    "Conflict": {"description": "Others are changing the same", "content": OUTCOME},
    "Gone": {"description": "Was deleted", "content": OUTCOME},
    "PreconditionFailed": {"description": "Somebody else was faster", "content": OUTCOME},
    "TooLarge": {"description": "The body is too large", "content": OUTCOME},
    "UnsupportedMediaType": {
        "description": "The body is neither FHIR JSON nor FHIR XML",
        "content": OUTCOME,
    },
    "Unprocessable": {"description": "The resource breaks a rule", "content": OUTCOME},
    "Unavailable": {"description": "Try again after Retry-After", "content": OUTCOME},
}
