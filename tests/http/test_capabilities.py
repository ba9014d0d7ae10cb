"""https://hl7.org/fhir/R4/http.html#capabilities"""

from tests.http.conftest import Service

OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


async def test_everybody_may_ask_what_the_server_can_do(service: Service) -> None:
    response = await service.client().get("/metadata")
    assert response.status_code == 200
    statement = response.json()
    assert statement["resourceType"] == "CapabilityStatement"
    assert statement["implementation"]["url"] == service.settings.base_url


async def test_the_oauth_endpoints_are_those_of_the_smart_configuration(service: Service) -> None:
    client = service.client()
    statement = (await client.get("/metadata")).json()
    configuration = (await client.get("/.well-known/smart-configuration")).json()
    [uris] = statement["rest"][0]["security"]["extension"]
    assert uris["url"] == OAUTH_URIS
    told = {each["url"]: each["valueUri"] for each in uris["extension"]}
    assert told == {
        "authorize": configuration["authorization_endpoint"],
        "register": configuration["registration_endpoint"],
        "manage": configuration["management_endpoint"],
        "token": configuration["token_endpoint"],
        "revoke": configuration["revocation_endpoint"],
        "introspect": configuration["introspection_endpoint"],
    }
