"""Nobody gives themselves more of a record than they were given, though they decide about one."""

import httpx
import pytest

from tests.build import LONG_AGO, SUD, care_team, goal, patient, related_person
from tests.http.conftest import COUNTY, Json, Service, load, refused, serving

INES = "RelatedPerson/ines"
UNTIL = {"start": LONG_AGO, "end": "2090-12-31"}
GUARDIAN = related_person("ines", role="GUARD", period=UNTIL)


@pytest.fixture
async def ines(service: Service, operator: httpx.AsyncClient, ada: str) -> httpx.AsyncClient:
    """Ada's guardian for a time, and a relative in the team of Ben, who has something to hide."""
    await load(operator, patient("ben", COUNTY), goal("secret", "Patient/ben", **SUD))
    await load(operator, GUARDIAN, care_team(INES, id_="ben-team", patient="Patient/ben"))
    return await signed_in(service)


async def signed_in(service: Service) -> httpx.AsyncClient:
    return await service.as_("guardian", None, "user/*.cruds", fhir_user=INES, user="ines")


async def test_a_guardian_becomes_nobody_elses_guardian(ines: httpx.AsyncClient) -> None:
    moved = GUARDIAN | {"patient": {"reference": "Patient/ben"}}
    refused(await ines.put(f"/{INES}", json=moved), 403, "forbidden", "RelatedPerson")
    refused(await ines.get("/Goal/secret"), 404, "not-found")


async def test_nor_by_an_id_that_nobody_has_yet(
    dsn: str, operator: httpx.AsyncClient, ada: str
) -> None:
    async with serving(dsn, update_as_create=True, references="lenient") as free:
        loader = await free.as_("operator")
        await load(loader, goal("secret", **SUD), care_team(INES))
        ines = await signed_in(free)
        assert (await ines.get("/Patient/ada")).status_code == 200
        refused(await ines.put(f"/{INES}", json=GUARDIAN), 403, "forbidden", "RelatedPerson")
        refused(await ines.get("/Goal/secret"), 404, "not-found")


@pytest.mark.parametrize(
    "period",
    [None, {"start": LONG_AGO}, UNTIL | {"end": "2091-01-01"}, UNTIL | {"start": "2019-12-31"}],
    ids=["always", "no-end", "longer", "earlier"],
)
async def test_a_guardian_does_not_stay_one_for_longer(
    ines: httpx.AsyncClient, period: Json | None
) -> None:
    longer = {name: value for name, value in GUARDIAN.items() if name != "period"}
    longer |= {"period": period} if period else {}
    refused(await ines.put(f"/{INES}", json=longer), 403, "forbidden", "RelatedPerson")


@pytest.mark.parametrize(
    "elements",
    [{"telecom": [{"system": "phone", "value": "1"}]}, {"period": UNTIL | {"end": "2080-01-01"}}],
    ids=["telephone", "shorter"],
)
async def test_a_guardian_says_how_to_be_reached_and_leaves_earlier(
    ines: httpx.AsyncClient, elements: Json
) -> None:
    assert (await ines.put(f"/{INES}", json=GUARDIAN | elements)).status_code == 200


async def test_who_keeps_the_record_and_another_guardian_say_for_how_long(
    service: Service,
    operator: httpx.AsyncClient,
    county: httpx.AsyncClient,
    ines: httpx.AsyncClient,
) -> None:
    longer = GUARDIAN | {"period": UNTIL | {"end": "2091-01-01"}}
    assert (await county.put(f"/{INES}", json=longer)).status_code == 200
    await load(operator, related_person("otto", role="GUARD"))
    otto = await service.as_(
        "guardian", None, "user/*.cruds", fhir_user="RelatedPerson/otto", user="otto"
    )
    assert (await otto.put(f"/{INES}", json=GUARDIAN)).status_code == 200


async def test_a_person_says_who_keeps_their_record(service: Service, ada: str) -> None:
    person = await service.as_(
        "individual", None, "user/*.cruds", fhir_user="Patient/ada", user="ada"
    )
    elsewhere = (await person.get("/Patient/ada")).json()
    del elsewhere["managingOrganization"]
    assert (await person.put("/Patient/ada", json=elsewhere)).status_code == 200
    again = elsewhere | {"managingOrganization": {"reference": COUNTY}}
    assert (await person.put("/Patient/ada", json=again)).status_code == 200
