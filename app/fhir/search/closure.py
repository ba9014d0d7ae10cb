"""Closure: a resource of a patient and what hangs together with it, in one statement.

Every arm starts from `visible`: what the caller may not see is not there, and leaves no trace.
"""

from asyncpg import Record

from app.fhir.access import Access, Nothing
from app.fhir.alike import with_unlike
from app.fhir.context import Context
from app.fhir.hidden import unlike_for
from app.fhir.search.include import COLUMNS
from app.fhir.search.parameters.keys import param
from app.fhir.visible import visible
from app.storage.sql import Arguments

OWN = (
    "Patient",
    "RelatedPerson",
    "CarePlan",
    "Goal",
    "CareTeam",
    "ServiceRequest",
    "Task",
    "Condition",
    "Consent",
    "Coverage",
    "RiskAssessment",
    "EpisodeOfCare",
    "NutritionOrder",
    "AllergyIntolerance",
    "DeviceRequest",
)
"""Types of which a person has few resources: all of them belong to the closure."""

RECORDS = (
    "Observation",
    "DocumentReference",
    "QuestionnaireResponse",
    "Communication",
    "Encounter",
    "ClinicalImpression",
)
"""Types of which a person has ever more: the newest belong to it, and what the others point to."""

POINTED = ("PractitionerRole", "PlanDefinition")
"""Types about nobody that belong to it where something of it points to them."""

POINTING = {"Provenance": "target", "Appointment": "actor", "Contract": "subject"}
"""Types found by the reference with which they point into the closure."""

NEWEST, MOST = 500, 5000


async def closure(ctx: Context, type_: str, id_: str) -> list[Record]:
    """The resource first, deleted or not, then all that hangs together with it; no rows without it.

    The resource needs the scope letter `r`, all others `s`, as in a search. Rows: `deleted` and
    COLUMNS of search/include.py, and `unlike`.
    """
    args = Arguments()
    read, search = (ctx.access.get(letter, Nothing()) for letter in "rs")
    found = _statement(type_, args.add(id_), read, search, args)
    sql = with_unlike(found, unlike_for(ctx))
    return await ctx.store.fetch(*args.statement(sql))


def _statement(type_: str, id_: str, read: Access, search: Access, args: Arguments) -> str:
    def seen(*types: str) -> str:
        return f"SELECT {COLUMNS} FROM {visible(search, types, args)} AS r WHERE NOT r.deleted"

    root = f"SELECT {COLUMNS}, r.deleted FROM {visible(read, type_, args)} AS r WHERE r.id = {id_}"
    whose = "r.patient = (SELECT patient FROM root WHERE NOT deleted)"
    tables = {
        "root": root,
        "own": f"{seen(*OWN)} AND {whose} LIMIT {MOST}",
        "newest": f"{seen(*RECORDS)} AND {whose} ORDER BY r.last_updated DESC LIMIT {NEWEST}",
        "links": (
            "SELECT DISTINCT x.target #>> '{}' AS target FROM own AS o,"
            " jsonb_path_query(o.body::jsonb, '$.**.reference') AS x (target)"
        ),
        "linked": (
            f"{seen(*RECORDS, *POINTED)} AND (r.type, r.id) IN"
            " (SELECT split_part(target, '/', 1), split_part(target, '/', 2) FROM links)"
        ),
        "pointing": f"{seen(*POINTING)} AND r.rid IN ({_pointing()}) LIMIT {MOST}",
    }
    named = ", ".join(f"{name} AS MATERIALIZED ({text})" for name, text in tables.items())
    kinds = ("own", "newest", "linked", "pointing")
    found = " UNION ".join(f"SELECT * FROM {kind}" for kind in kinds)
    return (
        f"WITH {named} SELECT r.deleted, {COLUMNS} FROM root AS r"
        f" UNION ALL SELECT false, {COLUMNS} FROM ({found}) AS r"
        " WHERE r.rid <> ALL(ARRAY(SELECT rid FROM root))"
    )


def _pointing() -> str:
    params = ", ".join(str(param(type_, code)) for type_, code in POINTING.items())
    return (
        "SELECT x.rid FROM (SELECT type, id FROM own UNION ALL SELECT type, id FROM newest) AS o"
        f" JOIN index_reference AS x ON x.target = o.type || '/' || o.id AND x.param IN ({params})"
    )
