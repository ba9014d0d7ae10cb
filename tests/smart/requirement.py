"""One requirement of SMART App Launch, and the files whose tests try them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Requirement:
    """What a server does (`asks`), tried by `tests` (file::name); or `because` says why not."""

    numbers: tuple[int, ...]
    asks: str
    tests: tuple[str, ...] = ()
    because: str = ""


def met(numbers: str, asks: str, *tests: str) -> Requirement:
    return Requirement(tuple(map(int, numbers.split())), asks, tests)


def not_ours(numbers: str, asks: str, because: str) -> Requirement:
    return Requirement(tuple(map(int, numbers.split())), asks, because=because)


AUTHORIZE, LAUNCH, CODES = "smart/test_authorize.py", "smart/test_launch.py", "smart/test_codes.py"
REFRESH, OPENID, EHR = "smart/test_refresh.py", "smart/test_openid.py", "smart/test_ehr_launch.py"
SEES, REGISTER = "smart/test_who_sees_what.py", "smart/test_client_registration.py"
PAGES, BROWSER = "smart/test_pages.py", "smart/test_browser.py"
TOKEN, ASSERTION = "auth/test_token.py", "auth/test_assertion.py"
JWKS, JOSE = "auth/test_jwks.py", "auth/test_jose.py"
DISCOVERY, ACCESS, REVOKE = (
    "auth/test_discovery.py",
    "auth/test_access_token.py",
    "auth/test_revocation.py",
)
SCOPES, HTTP = "auth/test_scopes.py", "http/test_scopes.py"

STANDALONE = f"{LAUNCH}::a_person_signs_in_approves_and_the_app_reads"
OPENED = f"{EHR}::an_app_is_opened_with_what_the_record_system_said"
REFRESHED = f"{REFRESH}::a_refresh_token_gives_new_tokens_for_the_same"
TOLD = f"{AUTHORIZE}::afterwards_the_app_is_told"
BACKEND = f"{TOKEN}::a_backend_service_gets_a_token_that_works"
CONFIGURED = f"{DISCOVERY}::the_configuration_has_what_smart_requires"
ANYBODY = f"{DISCOVERY}::the_configuration_is_json_for_anybody_from_anywhere"
ABSOLUTE = f"{DISCOVERY}::every_endpoint_listed_is_absolute_and_answers"
ID_TOKEN = f"{OPENID}::an_id_token_says_who_signed_in"
INTROSPECTED = f"{REFRESH}::introspection_tells_the_context_and_who"
ASSERTED = f"{ASSERTION}::an_assertion_with_a_wrong_claim_is_refused"
LIVES = f"{ACCESS}::a_token_ends_when_it_expires_though_it_was_verified"
LETTERS = f"{HTTP}::each_interaction_needs_its_letter"
IN_CONTEXT = f"{SEES}::patient_scopes_open_the_patient_in_context_alone"
SUPPORTED = f"{SEES}::user_scopes_open_whom_the_person_supports"
REGISTERED = f"{REGISTER}::an_app_registers_is_approved_and_launched"
BRANDS = "http/test_brands.py"
BUNDLE = f"{BRANDS}::the_brands_and_this_server_are_in_one_bundle"
NAMED = f"{BRANDS}::discovery_leads_there_and_names_the_primary_brand"
