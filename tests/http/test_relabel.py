"""A changed rule of labels takes effect on what is stored by `isp reindex`."""

from dataclasses import replace

from app.fhir.reindex import reindex
from app.storage.database import Database
from tests.build import care_team, condition, organization, patient
from tests.http.conftest import COUNTY, PARTNER, Service, load

ASIDE = """
UPDATE resource SET confidentiality = 3, labels = NULL;
UPDATE resource_version SET confidentiality = 3, labels = NULL;
"""


async def test_what_was_stored_under_other_rules_is_labelled_anew(
    service: Service, database: Database
) -> None:
    operator, partner = await service.as_(), await service.as_("partner-system", PARTNER)
    abuse = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F10.20"}]}
    people = [organization("county"), organization("partner"), patient("ada", COUNTY)]
    await load(operator, *people, care_team(PARTNER), condition(code=abuse))
    assert (await partner.get("/Condition/ada-need")).status_code == 404
    # As rules left it that did not know the code.
    for statement in ASIDE.strip().split(";\n"):
        await database.execute(statement.rstrip(";"))
    assert (await partner.get("/Condition/ada-need")).status_code == 200
    await reindex(replace(service.app.state.engine, database=database))
    for url in ("/Condition/ada-need", "/Condition/ada-need/_history/1"):
        assert (await partner.get(url)).status_code == 404, url
    page = (await operator.get("/Condition")).json()
    assert page["meta"]["security"][0]["code"] == "R"
    assert page["entry"][0]["resource"]["meta"]["versionId"] == "1"
