"""Of several Consents the trail names those that had a part in opening what was seen."""

import httpx
import pytest

from tests.build import consent, goal
from tests.http.conftest import Json, load
from tests.http.test_audit_consents import CLINIC, clinic, told
from tests.http.test_consent_conditions import ACT, LEVEL, PROGRAM, complete, of_class

__all__ = ["clinic"]

SUD = {"system": ACT, "code": "SUD"}
R, N = ({"system": LEVEL, "code": code} for code in "RN")


async def named(
    clinic: httpx.AsyncClient, operator: httpx.AsyncClient, security: list[Json], **limits: object
) -> list[str]:
    """The Consents named when the clinic sees a goal with these labels, of two: one for all of the
    record, and one with these limits."""
    limited = consent(CLINIC, id_="limited")
    limited["provision"] |= limits
    seen = goal("seen", **({"meta": {"security": security}} if security else {}))
    await load(operator, seen, limited)
    response = await clinic.get("/Goal/seen", headers={"X-Request-Id": "seen"})
    assert response.status_code == 200
    return await told(operator, "seen", "ada")


BOTH, ONE = ["Consent/ada-yes", "Consent/limited"], ["Consent/ada-yes"]


@pytest.mark.parametrize(
    ("security", "limits", "expected"),
    [
        ([SUD], {"securityLabel": [SUD]}, BOTH),
        ([], {"securityLabel": [SUD]}, ONE),
        ([R], {"securityLabel": [N]}, ONE),
        ([N], {"securityLabel": [R]}, BOTH),
        ([], of_class({}, "Goal"), BOTH),
        ([], of_class({}, "Task"), ONE),
        ([SUD], {"securityLabel": [SUD], **of_class({}, "Task")}, ONE),
    ],
    ids=str,
)
async def test_a_consent_is_named_where_it_extends_to_what_was_seen(
    clinic: httpx.AsyncClient,
    operator: httpx.AsyncClient,
    security: list[Json],
    limits: Json,
    expected: list[str],
) -> None:
    assert await named(clinic, operator, security, **limits) == expected


async def test_a_consent_that_does_not_open_the_seal_is_not_named(
    clinic: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    papers = complete("ada")
    for paper in papers:
        if paper["resourceType"] == "Consent":
            for actor in paper["provision"]["actor"]:
                actor["reference"] = {"reference": CLINIC}
    await load(operator, *papers, goal("program", meta={"security": PROGRAM}))
    response = await clinic.get("/Goal/program", headers={"X-Request-Id": "seen"})
    assert response.status_code == 200
    assert await told(operator, "seen", "ada") == ["Consent/ada-program"]
