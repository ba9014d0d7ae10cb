"""TerminologyCapabilities: which code systems are held, and what may be asked of them.

https://hl7.org/fhir/R4/terminologycapabilities.html
"""

from collections.abc import Iterable
from typing import Any

from app.fhir.context import Resource
from app.fhir.terminology.held import code_systems_of_r4, of_r4

DATE = "2026-11-22"
"""When what this module says by hand was last changed."""

EXPANSION = {
    "filter": "The beginning of a word of the code or the display.",
    "offset": "Where the page begins.",
    "count": "How many codes to return; 0 for the total alone.",
    "includeDesignations": "Whether to return designations.",
    "activeOnly": "Whether to leave out inactive codes.",
    "excludeNotForUI": "Whether to leave out codes that only group others.",
}


def terminology_capabilities(base_url: str, more: Iterable[Resource]) -> Resource:
    """What a client may count on; `more` are code systems that come with the server beside R4's."""
    return {
        "resourceType": "TerminologyCapabilities",
        "url": f"{base_url}/metadata?mode=terminology",
        "name": "IndividualizedServicePlanTerminology",
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": {"name": "isp-fhir"},
        "implementation": {"description": "One shared plan per person", "url": base_url},
        "codeSystem": [_code_system(one) for one in (*more, *_of_r4())],
        "expansion": {
            "hierarchical": False,
            "paging": True,
            "incomplete": False,
            "parameter": [
                {"name": name, "documentation": said} for name, said in EXPANSION.items()
            ],
            "textFilter": "Every word of `filter` must be the beginning of a word.",
        },
        "codeSearch": "all",
        "validateCode": {"translations": False},
    }


def _of_r4() -> list[Resource]:
    found = (of_r4("CodeSystem", url) for url in code_systems_of_r4())
    return [one for one in found if one is not None]


def _code_system(one: Resource) -> dict[str, Any]:
    version = {"version": [{"code": one["version"]}]} if "version" in one else {}
    return {"uri": one["url"], **version, "subsumption": True}
