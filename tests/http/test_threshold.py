"""The root of the server, as people and programs find it."""

from tests.http.conftest import Service

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def test_a_browser_is_led_to_the_web_view(service: Service) -> None:
    async with service.client({"Accept": BROWSER}) as client:
        response = await client.get("http://127.0.0.1:8000/")
        assert response.status_code == 303
        assert response.headers["location"] == f"{service.settings.issuer}/app"


async def test_a_program_learns_where_fhir_is(service: Service) -> None:
    async with service.client({"Accept": "*/*"}) as client:
        known = (await client.get("http://127.0.0.1:8000/")).json()
        assert known["fhir"] == service.settings.base_url
        found = await client.get(known["capabilityStatement"], headers={"Accept": "*/*"})
        assert found.json()["resourceType"] == "CapabilityStatement"
        assert (await client.get(known["smartConfiguration"])).status_code == 200
