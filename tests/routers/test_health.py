"""app/routers/health.py: whoever runs the server can ask how it is, and learns no more."""

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.routers.health import Observed, health_router, shape
from app.storage.database import Database, DatabaseAway
from tests.http.conftest import COUNTY, serving


def client(database: Database) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(health_router(database))
    return httpx.AsyncClient(transport=httpx.ASGITransport(Observed(app)), base_url="http://isp")


async def test_it_is_ready_while_the_database_is_there(database: Database) -> None:
    async with client(database) as http:
        assert (await http.get("/livez")).status_code == 200
        assert (await http.get("/readyz")).status_code == 200


async def test_it_is_alive_but_not_ready_while_the_database_is_away(tmp_path: Path) -> None:
    away = await Database.open(f"postgresql://isp@/postgres?host={tmp_path}")
    async with client(away) as http:
        assert (await http.get("/livez")).status_code == 200
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    await away.close()


async def test_the_counters_are_told_without_figures_while_the_database_is_away() -> None:
    async def figures() -> bytes:
        raise DatabaseAway

    app = FastAPI()
    app.include_router(health_router(None, figures))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://isp") as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert "isp_requests" in answer.text


async def test_what_is_answered_is_counted_without_saying_about_whom(database: Database) -> None:
    async with client(database) as http:
        await http.get("/fhir/Patient/rosa-parks?name=Parks")
        text = (await http.get("/metrics")).text
    assert 'isp_requests_total{method="GET",path="/fhir/Patient/[id]",status="404"}' in text
    assert "rosa" not in text
    assert "Parks" not in text


@pytest.mark.parametrize(
    ("path", "known_as"),
    [
        ("/fhir", "/fhir"),
        ("/fhir/", "/fhir/"),
        ("/fhir/metadata", "/fhir/metadata"),
        ("/fhir/Goal/_history", "/fhir/Goal/_history"),
        ("/fhir/Goal/7/_history/2", "/fhir/Goal/[id]/_history/[id]"),
        ("/fhir/Patient/rosa/Goal", "/fhir/Patient/[id]/Goal"),
        ("/fhir/a/b/c/d/e/f", "/fhir/[id]/[id]/[id]/[id]"),
        ("/auth/token", "/auth/token"),
        ("/rosa", "other"),
        ("/fhirx/rosa", "other"),
    ],
)
def test_of_a_path_only_its_shape_is_kept(path: str, known_as: str) -> None:
    assert shape(path) == known_as


def test_an_operation_is_told_from_what_a_caller_made_up() -> None:
    words = {"$validate"}
    assert shape("/fhir/Goal/7/$validate", words) == "/fhir/Goal/[id]/$validate"
    assert shape("/fhir/Goal/7/$rosa", words) == "/fhir/Goal/[id]/[id]"


async def test_the_figures_are_for_operators_unless_the_settings_say_otherwise(
    dsn: str, database: Database
) -> None:
    async with serving(dsn, metrics="operator") as closed, serving(dsn, metrics="open") as opened:
        root = closed.settings.base_url.removesuffix("/fhir")
        assert (await closed.client().get(f"{root}/metrics")).status_code == 401
        county = await closed.as_("provider-organization", COUNTY)
        assert (await county.get(f"{root}/metrics")).status_code == 403
        operator = await closed.as_("operator")
        assert "isp_requests" in (await operator.get(f"{root}/metrics")).text
        assert "isp_requests" in (await opened.client().get(f"{root}/metrics")).text


async def test_the_figures_are_for_who_is_here_while_the_server_is_known_here_only(
    dsn: str, database: Database
) -> None:
    async with serving(dsn) as here, serving(dsn, base_url="https://isp.example.org/fhir") as known:
        for service, status in ((here, 200), (known, 401)):
            root = service.settings.base_url.removesuffix("/fhir")
            assert (await service.client().get(f"{root}/metrics")).status_code == status
