"""The official examples are stored, and come back as they were sent."""

from typing import Any

from app.fhir import json, xml
from app.fhir.registry import STORED
from app.fhir.validation.structure import validate
from tests.fhir.xml.test_round_trip import plain
from tests.http.conftest import Service
from tests.official import conformance_examples, examples

CONFORMANCE = (
    "StructureDefinition",
    "ValueSet",
    "CodeSystem",
    "SearchParameter",
    "OperationDefinition",
    "CompartmentDefinition",
    "CapabilityStatement",
)
XML = {"Content-Type": "application/fhir+xml", "Accept": "application/fhir+xml"}
PER_KIND = 12
NOT_SENT_BY_CLIENTS = {"AuditEvent", "Subscription"}


def official() -> list[dict[str, Any]]:
    """Valid examples of every stored type, at most a dozen of each kind of conformance resource."""
    found = list(examples())
    for kind in CONFORMANCE:
        found += conformance_examples(kind, 40)[:PER_KIND]
    return [
        one
        for one in found
        if one["resourceType"] in STORED - NOT_SENT_BY_CLIENTS
        and not any(issue.severity == "error" for issue in validate(one, one["resourceType"]))
    ]


def without_meta(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource but for what the server sets: id, versionId and lastUpdated."""
    kept = {k: v for k, v in resource.get("meta", {}).items() if k not in SET_BY_SERVER}
    rest = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    return rest | ({"meta": kept} if kept else {})


SET_BY_SERVER = ("versionId", "lastUpdated")


async def test_every_valid_example_comes_back_as_it_was_sent(lenient: Service) -> None:
    operator = await lenient.as_("operator")
    seen: set[str] = set()
    for example in official():
        sent = json.dump(without_meta(example))
        made = await operator.post(f"/{example['resourceType']}", content=sent)
        assert made.status_code == 201, (example.get("id"), made.text)
        read = await operator.get(made.headers["location"])
        assert json.parse(read.content)["id"]
        assert without_meta(json.parse(read.content)) == without_meta(example)
        seen.add(example["resourceType"])
    # The package has no example of a DocumentReference.
    assert STORED - NOT_SENT_BY_CLIENTS - seen <= {"DocumentReference"}


async def test_every_valid_example_comes_back_as_xml_as_it_was_sent(lenient: Service) -> None:
    """In the JSON that is stored, too; but for the spelling of narratives: XML has its own."""
    operator = await lenient.as_("operator")
    for example in official():
        sent = xml.write(without_meta(example))
        made = await operator.post(f"/{example['resourceType']}", content=sent, headers=XML)
        assert made.status_code == 201, (example.get("id"), made.text)
        url = made.headers["location"]
        back = xml.read((await operator.get(url, headers=XML)).content)
        stored = json.parse((await operator.get(url)).content)
        assert back == xml.read(xml.write(stored)), example.get("id")
        assert plain(without_meta(stored)) == plain(without_meta(example)), example.get("id")
