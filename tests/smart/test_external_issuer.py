"""People who sign in elsewhere, tokens issued elsewhere: a second server, over real HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.auth.accounts import create_account
from app.auth.approvals import end_with_account
from app.auth.clients import Client, Registration, create_client
from app.auth.external_accounts import bind
from app.storage.database import Database
from tests.build import organization, plan, practitioner, practitioner_role
from tests.conftest import CLEAN
from tests.http.conftest import Service, load, serving
from tests.smart.browser import App, Browser, Page, returned
from tests.smart.conftest import PASSWORD, World
from tests.smart.provider import Second, named, second

ROLES = {"individual": "individual", "provider-organization": "provider-organization"}


@dataclass
class Two:
    """Our server, the one people sign in with, and us as its client."""

    world: World
    other: Second
    client: Client
    secret: str

    def browser(self) -> Browser:
        """A browser that gets to both of them."""
        ours = httpx.ASGITransport(app=self.world.service.app)
        mounts = {"all://localhost": httpx.AsyncHTTPTransport()}
        client = httpx.AsyncClient(transport=ours, mounts=mounts)
        self.world.opened.append(client)
        return Browser(client, self.world.issuer)

    async def elsewhere(self, browser: Browser, url: str) -> httpx.Response:
        """What comes of going there: sign in as ada, allow, and come back here."""
        there = Browser(browser.http, self.other.issuer)
        page = Page((await there.get(url)).text)
        page = Page((await there.send(page.form("/login"), username="ada", password=PASSWORD)).text)
        back = await there.send(page.form("/approve"), decision="allow")
        return await browser.get(back.headers["location"])


@pytest.fixture(scope="module")
async def two(
    server: str, dsn: str, pool: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Two]:
    await pool.execute(CLEAN)
    folder = tmp_path_factory.mktemp("issuers")
    async with second(server) as other:
        client, secret = await create_client(
            other.database,
            Registration(
                "Here",
                "openid fhirUser",
                "partner-system",
                "client_secret_basic",
                redirect_uris=("http://127.0.0.1:8000/auth/callback",),
            ),
        )
        await create_account(other.database, "ada", PASSWORD, "Patient/ada", "individual")
        (folder / "secret").write_text(f"{secret}\n")
        issuers = named(folder, _trusted(other, client, folder / "secret"))
        async with serving(dsn, external_issuers=issuers) as service:
            await _people(service)
            await create_account(pool, "ada-here", PASSWORD, "Patient/ada", "individual")
            world = World(service, pool)
            yield Two(world, other, client, secret or "")
            for opened in world.opened:
                await opened.aclose()


def _trusted(other: Second, client: Client, secret: Path) -> dict[str, object]:
    return {
        "issuer": other.issuer,
        "algorithms": ["ES256", "RS256"],
        "roles": ROLES,
        "audience": f"{other.issuer}/fhir",
        "is_inside": True,
        "sign_in": {
            "name": "the county",
            "client_id": client.id,
            "secret_file": str(secret),
            "scope": "openid fhirUser",
            "parameters": {"aud": f"{other.issuer}/fhir"},
        },
    }


async def _people(service: Service) -> None:
    operator = await service.as_("operator")
    await load(operator, organization("agency"), practitioner("grace"), practitioner_role())
    for person in ("ada", "bea"):
        await load(operator, *plan("PractitionerRole/grace-key-worker", person=person))


async def _bind(two: Two) -> None:
    sql = "SELECT subject FROM account WHERE username = 'ada'"
    subject = await two.other.database.fetchval(sql)
    await bind(two.world.database, two.other.issuer, subject, "ada-here")


async def _link(two: Two, browser: Browser, app: App) -> str:
    """The link of the sign-in page to the other provider."""
    page = Page((await two.world.asked(app, browser)).text)
    links = [given["href"] for tag, given in page.tags if tag == "a" and "href" in given]
    return next(link for link in links if "/external?" in link)


async def test_a_person_signs_in_elsewhere_and_the_app_reads(two: Two) -> None:
    await _bind(two)
    app, browser = await two.world.app(), two.browser()
    response = await two.elsewhere(browser, await _link(two, browser, app))
    said = returned(await browser.send(Page(response.text).form("/approve"), decision="allow"))
    body = (await app.redeem(said["code"])).json()
    assert body["patient"] == "ada"
    goal = await two.world.fhir(body["access_token"]).get("/Goal/ada-goal-1")
    assert goal.status_code == 200


async def test_who_is_bound_to_no_account_is_not_signed_in(two: Two) -> None:
    await two.world.database.execute("DELETE FROM external_identity")
    browser = two.browser()
    answer = await two.elsewhere(browser, await _link(two, browser, await two.world.app()))
    assert answer.status_code == 403
    assert await two.world.database.fetchval("SELECT count(*) FROM external_identity") == 0
    assert (await browser.get(f"{two.world.issuer}/auth/apps")).url.path == "/auth/login"


async def test_the_trail_has_who_signed_in_elsewhere(two: Two) -> None:
    await _bind(two)
    browser = two.browser()
    await two.elsewhere(browser, await _link(two, browser, await two.world.app()))
    operator = await two.world.service.as_("operator")
    trail = (await operator.get("/AuditEvent?_count=1&_sort=-date&type=110114")).json()
    assert trail.get("entry")


async def test_a_removed_account_takes_its_binding_along(two: Two) -> None:
    authority = replace(two.world.service.app.state.authority, database=two.world.database)
    await create_account(two.world.database, "gone", PASSWORD, "Patient/bea", "individual")
    await bind(two.world.database, two.other.issuer, "s-gone", "gone")
    await end_with_account(authority, "gone", is_removed=True)
    sql = "SELECT count(*) FROM external_identity WHERE subject = 's-gone'"
    assert await two.world.database.fetchval(sql) == 0


async def test_a_backend_token_of_the_other_issuer_opens_what_it_says(two: Two) -> None:
    made, secret = await create_client(
        two.other.database,
        Registration(
            "Clinic",
            "system/Goal.rs system/Patient.rs",
            "provider-organization",
            "client_secret_basic",
            organization="Organization/agency",
        ),
    )
    app = App(two.world.http(), two.other.issuer, made.id, "", secret)
    async with httpx.AsyncClient() as app.http:
        asked = {"grant_type": "client_credentials", "scope": "system/Goal.rs"}
        token = (await app.token(asked)).json()["access_token"]
    client = two.world.fhir(token)
    assert (await client.get("/Goal/ada-goal-1")).status_code == 200
    assert (await client.get("/Patient/ada")).status_code == 403
    assert len((await client.get("/Goal?patient=ada")).json()["entry"]) == 2
    trail = await two.world.database.fetchval(
        "SELECT count(*) FROM audit_event WHERE body::text LIKE '%' || $1 || '#%'", two.other.issuer
    )
    assert trail


async def test_a_token_of_a_person_elsewhere_opens_their_own_record(two: Two) -> None:
    made, _ = await create_client(
        two.other.database,
        Registration(
            "App",
            "openid fhirUser patient/*.rs user/*.rs",
            "partner-system",
            "none",
            redirect_uris=("https://app.example/callback",),
        ),
    )
    async with httpx.AsyncClient() as http:
        app = App(http, two.other.issuer, made.id)
        there = Browser(http, two.other.issuer)
        url = f"{two.other.issuer}/auth/authorize"
        page = Page((await there.get(url, **app.request("openid fhirUser user/*.rs"))).text)
        page = Page((await there.send(page.form("/login"), username="ada", password=PASSWORD)).text)
        said = returned(await there.send(page.form("/approve"), decision="allow"))
        token = (await app.redeem(said["code"])).json()["access_token"]
    client = two.world.fhir(token)
    assert (await client.get("/Goal/ada-goal-1")).status_code == 200
    assert (await client.get("/Goal/bea-goal-1")).status_code == 404


async def test_an_id_token_is_no_access_token(two: Two) -> None:
    await _bind(two)
    browser = two.browser()
    url = await _link(two, browser, await two.world.app())
    there = Browser(browser.http, two.other.issuer)
    page = Page((await there.get(url)).text)
    page = Page((await there.send(page.form("/login"), username="ada", password=PASSWORD)).text)
    back = await there.send(page.form("/approve"), decision="allow")
    code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
    row = await two.world.database.fetchrow("SELECT code_verifier FROM external_sign_in")
    assert row
    async with httpx.AsyncClient() as http:
        app = App(http, two.other.issuer, two.client.id, secret=two.secret)
        app.redirect_uri, app.verifier = "http://127.0.0.1:8000/auth/callback", row["code_verifier"]
        token = (await app.redeem(code)).json()["id_token"]
    assert (await two.world.fhir(token).get("/Goal/ada-goal-1")).status_code == 401


async def test_a_pure_resource_server_leads_to_its_issuer(
    two: Two, dsn: str, tmp_path: Path
) -> None:
    trusted = {k: v for k, v in _trusted(two.other, two.client, tmp_path).items() if k != "sign_in"}
    issuers = named(tmp_path, trusted, only=True)
    async with serving(dsn, external_issuers=issuers) as service, service.client() as http:
        base = service.settings.base_url
        said = (await http.get(f"{base}/.well-known/smart-configuration")).json()
        assert said["token_endpoint"] == f"{two.other.issuer}/auth/token"
        url = f"{service.settings.issuer}/.well-known/oauth-protected-resource/fhir"
        assert (await http.get(url)).json()["authorization_servers"] == [two.other.issuer]
        for path in ("auth/token", "auth/authorize", "auth/login", "auth/register", "app"):
            assert (await http.get(f"{service.settings.issuer}/{path}")).status_code == 404
        security = (await http.get("/metadata")).json()["rest"][0]["security"]
        assert "extension" not in security
