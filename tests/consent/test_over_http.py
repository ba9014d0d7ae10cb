"""The table of cases as the service answers them: every case that a token can stand for."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from app.consent.purpose import EMERGENCY, broader
from app.storage.database import Database
from tests.consent.case import Case, decision
from tests.consent.stored import load
from tests.consent.test_cases import CASES
from tests.http.conftest import serving

ROLES = {
    "Organization": "ehr-system",
    "Practitioner": "clinician",
    "PractitionerRole": "clinician",
    "RelatedPerson": "family",
    "Patient": "individual",
}


def is_asked(case: Case) -> bool:
    """Whether it is about one purpose and reading, and not in an emergency, which asks for more:
    see tests/http/test_emergency.py."""
    is_one = case.action == "access" and " " not in case.purpose
    return is_one and EMERGENCY not in broader(case.purpose)


async def test_the_service_answers_as_the_table_says(dsn: str, database: Database) -> None:
    await load(database, CASES)
    wrong: list[str] = []
    answered: Counter[int] = Counter()
    async with serving(dsn) as service:
        for number, case in enumerate(CASES):
            if not is_asked(case):
                continue
            outcome = decision(replace(case, now=datetime.now(UTC))).outcome
            actor = f"{case.actor}-{number}"
            type_ = actor.partition("/")[0]
            who = {"organization": actor} if type_ == "Organization" else {"fhir_user": actor}
            client = await service.as_(
                ROLES[type_], purpose=case.purpose, client_id=f"case-{number}", **who
            )
            subject = case.subject
            url = f"/{subject['resourceType']}/{subject['id']}-{number}"
            status = (await client.get(url)).status_code
            answered[status] += 1
            if status != (200 if outcome == "permit" else 404):
                wrong.append(f"{case.why}: {status}, {outcome}")
    assert wrong == []
    assert sum(answered.values()) >= 150
    assert min(answered[200], answered[404]) > 30
