"""Every SHALL of SMART App Launch 2.2.0 for a server: where it is tried, or why it is not ours.

Numbers are those of hl7.fhir.uv.smart-app-launch_2.2.0 as conformance kits list them. Prints
docs/conformance/smart.md: `python -m tests.smart.requirements > docs/conformance/smart.md`.
"""

import sys
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
TOKEN, JWKS, JOSE = "auth/test_token.py", "auth/test_jwks.py", "auth/test_jose.py"
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
ASSERTED = f"{TOKEN}::an_assertion_with_a_wrong_claim_is_refused"
LIVES = f"{ACCESS}::a_token_ends_when_it_expires_though_it_was_verified"
LETTERS = f"{HTTP}::each_interaction_needs_its_letter"
IN_CONTEXT = f"{SEES}::patient_scopes_open_the_patient_in_context_alone"
SUPPORTED = f"{SEES}::user_scopes_open_whom_the_person_supports"
REGISTERED = f"{REGISTER}::an_app_registers_is_approved_and_launched"
BRANDS = "http/test_brands.py"
BUNDLE = f"{BRANDS}::the_brands_and_this_server_are_in_one_bundle"
NAMED = f"{BRANDS}::discovery_leads_there_and_names_the_primary_brand"

REQUIREMENTS = (
    met("14", "PKCE with S256", STANDALONE),
    met("15 394", "no other method of PKCE, and discovery says so", TOLD, CONFIGURED),
    met(
        "16",
        "discovery and metadata are open to any origin",
        ANYBODY,
        f"{BROWSER}::an_app_is_launched_reads_refreshes_and_is_disconnected",
    ),
    met(
        "17",
        "the token endpoint and the REST API are open to apps in browsers",
        f"{PAGES}::other_origins_may_not_read_a_page_but_may_ask_for_tokens",
        f"{BROWSER}::an_app_is_launched_reads_refreshes_and_is_disconnected",
    ),
    met(
        "18",
        "only registered addresses are returned to",
        f"{AUTHORIZE}::an_error_is_shown_until_the_address_is_known_to_be_the_apps",
    ),
    met(
        "24 316",
        "registration answers a client_id",
        REGISTERED,
        "auth/test_registration.py::a_client_is_found_as_it_was_registered",
    ),
    met("30 228 372 373", "smart-configuration lies under the FHIR base", CONFIGURED, ANYBODY),
    met(
        "31",
        "the verifier is demanded and checked",
        f"{CODES}::a_code_opens_nothing_without_all_that_belongs_to_it",
        f"{CODES}::a_wrong_verifier_costs_the_code",
    ),
    met("48", "authorization by GET", STANDALONE),
    met("49 354", "authorization by POST", f"{LAUNCH}::a_request_may_be_posted"),
    met("53 56 57 59", "the browser brings code and state to the app", STANDALONE),
    met("54", "a refusal is told to the app", f"{LAUNCH}::a_person_refuses", TOLD),
    met("73 74 75 78 84 85 86 87 88", "the token response and its headers", STANDALONE),
    met(
        "89",
        "a refresh token comes when it was granted",
        STANDALONE,
        f"{LAUNCH}::a_person_takes_scopes_away",
    ),
    met("77 94 265", "an expired token opens nothing", LIVES),
    met("95 266", "a token opens what its scopes cover", LETTERS),
    met(
        "96",
        "a token for another resource server opens nothing",
        f"{ACCESS}::a_claim_missing_or_wrong_makes_a_token_invalid",
        TOLD,
    ),
    met(
        "100 366",
        "online access lasts as long as the person is signed in",
        f"{REFRESH}::offline_access_outlives_signing_out_and_online_access_does_not",
    ),
    met(
        "101 365",
        "offline access outlasts the session",
        f"{REFRESH}::offline_access_outlives_signing_out_and_online_access_does_not",
        f"{REFRESH}::a_refresh_token_lasts_three_months_from_its_last_use",
    ),
    met(
        "103",
        "a refresh token is bound to its client",
        f"{REFRESH}::another_app_cannot_use_a_refresh_token",
    ),
    met(
        "104 115", "it gives the same or less", f"{REFRESH}::fewer_scopes_may_be_asked_and_no_more"
    ),
    met("109 110 111 112 113 114", "the refresh response", REFRESHED),
    met(
        "119",
        "scopes never widen what somebody may",
        f"{SEES}::a_scope_never_widens_what_the_person_may",
    ),
    met(
        "123",
        "creating by update needs the letter u",
        "http/test_update.py::others_choose_ids_where_the_operator_decided_so",
    ),
    met(
        "130",
        "each entry of a batch needs its own scope",
        "http/test_batch.py::an_entry_needs_its_own_scope",
    ),
    met(
        "136 164 170 367",
        "patient/ scopes come with a patient, and open that patient",
        IN_CONTEXT,
        f"{LAUNCH}::who_supports_several_people_chooses_one",
    ),
    met(
        "139",
        "the documentation tells what Patient.link means for access",
        "smart/test_requirements.py::the_documentation_tells_about_linked_patients",
    ),
    met("140 368", "user/ scopes open what the person may see", SUPPORTED),
    met(
        "142",
        "system/ scopes open what the client's organization may see",
        "http/test_token.py::a_backend_service_reads_with_the_token_it_got",
    ),
    met(
        "144",
        "a wildcard scope opens every type, and the page says now and in the future",
        STANDALONE,
    ),
    met("149 168 169", "the context asked for is in the token response", STANDALONE, OPENED),
    met("171 362", "encounter", OPENED),
    met(
        "172 177",
        "fhirContext, without Patient and Encounter in the role launch",
        OPENED,
        f"{EHR}::a_launch_that_makes_no_sense_is_refused",
    ),
    met("173 359", "need_patient_banner", STANDALONE, OPENED),
    met("174", "intent", OPENED),
    met("175 360", "smart_style_url", f"{LAUNCH}::the_style_is_served"),
    met(
        "178 188",
        "each fhirContext has a reference, canonical or identifier; a role is launch or a URI",
        OPENED,
        f"{EHR}::a_launch_that_makes_no_sense_is_refused",
    ),
    met("176", "tenant, where the record system names one", OPENED),
    not_ours(
        "194",
        "apps and record systems agree on what an intent means",
        "the word is passed on as it is, its meaning is theirs",
    ),
    met(
        "197 198",
        "fhirUser is one of the five kinds of person, and every account has one",
        "auth/test_registration.py::an_account_that_could_not_work_is_refused",
        f"{LAUNCH}::the_entry_of_who_signed_in_can_be_read",
    ),
    met("200 205 209 210 358", "the id token: RS256, fhirUser, the code flow", ID_TOKEN),
    met(
        "207",
        "its keys are published as bare JWKs",
        ID_TOKEN,
        f"{OPENID}::keys_rotate_with_overlap",
    ),
    met(
        "231",
        "TLS: without it the server starts on loopback only",
        "running/test_settings.py::what_is_refused",
    ),
    met(
        "240 241 250",
        "a backend service gets scopes within its registration",
        f"{TOKEN}::a_scope_beyond_the_registration_is_refused",
    ),
    met(
        "247",
        "every request but for metadata and discovery needs a token",
        "http/test_token.py::without_a_good_token_nothing_opens",
        "http/test_capabilities.py::everybody_may_ask_what_the_server_can_do",
    ),
    met("249 335", "assertions are validated as RFC 7523 says", ASSERTED),
    met("251", "errors of RFC 6749 5.2", f"{TOKEN}::a_request_must_be_complete"),
    met("253 254 255 256 258 259 261", "the backend token response, five minutes at most", BACKEND),
    met(
        "271 272 273 274 275 276",
        "introspection as RFC 7662 has it",
        f"{REVOKE}::a_client_asks_about_its_own_token",
    ),
    met("277 278 279", "introspection tells the context, and who signed in", INTROSPECTED),
    met(
        "282 283",
        "a bearer token with the scope for it introspects any token",
        f"{REVOKE}::with_the_introspection_scope_a_client_asks_about_any_token",
    ),
    met("285 286 287 288 289", "discovery of asymmetric authentication", CONFIGURED),
    met("296", "keys at a URL", f"{JWKS}::a_client_is_known_by_the_keys_at_its_url"),
    met("297", "keys inline", BACKEND, f"{REGISTER}::a_client_with_keys_registers_them"),
    met(
        "305",
        "inline keys are changed by nobody but through registration",
        f"{REGISTER}::nobody_manages_the_registration_of_others",
    ),
    met("310", "RS384 and ES384", BACKEND, f"{TOKEN}::an_rs384_assertion_is_as_good"),
    met(
        "336",
        "an assertion works once",
        f"{TOKEN}::an_assertion_works_once",
        f"{TOKEN}::of_32_concurrent_redemptions_of_an_assertion_one_succeeds",
    ),
    met("337", "iss is the client", ASSERTED, f"{TOKEN}::client_id_must_be_the_one_that_signed"),
    met(
        "338",
        "jku, kid and kty choose exactly one key",
        f"{JWKS}::jku_must_be_the_registered_url",
        f"{JOSE}::no_key_or_two_keys_of_a_kid_are_refused",
    ),
    met(
        "339", "the key set is fetched by GET", f"{JWKS}::a_client_is_known_by_the_keys_at_its_url"
    ),
    met(
        "340",
        "every failure is invalid_client",
        ASSERTED,
        f"{TOKEN}::an_assertion_signed_by_another_key_is_refused",
    ),
    met(
        "341 342",
        "key sets are kept as long as their server allows",
        f"{JWKS}::a_set_is_not_kept_longer_than_its_server_allows",
    ),
    not_ours(
        "344",
        "secrets are not meant for backend services",
        "a note to those who register clients: partners may be given a secret, docs/security.md",
    ),
    met(
        "348 350",
        "the capabilities of patient and clinician access, standalone",
        CONFIGURED,
        STANDALONE,
    ),
    met(
        "349 351",
        "the capabilities of patient and clinician access by EHR launch",
        CONFIGURED,
        OPENED,
    ),
    met("352 361", "launch-ehr, context-ehr-patient", OPENED),
    met("353 363", "launch-standalone, context-standalone-patient", STANDALONE),
    met(
        "355 356",
        "public clients and those with a secret",
        f"{LAUNCH}::every_kind_of_client_redeems_its_code",
    ),
    met("357", "clients with a key", f"{LAUNCH}::a_client_with_a_key_redeems_and_refreshes"),
    not_ours(
        "364",
        "context-standalone-encounter",
        "not listed: outside of an EHR launch nobody knows the visit",
    ),
    met(
        "369",
        "scopes of version 1",
        f"{LAUNCH}::v1_scopes_are_answered_with_v1",
        f"{HTTP}::both_spellings_of_scopes_mean_what_they_say",
    ),
    met(
        "370",
        "scopes of version 2, granular ones too",
        f"{SEES}::a_granular_scope_narrows_every_interaction",
    ),
    not_ours("371", "smart-app-state", "not listed"),
    met("374 377 380", "discovery is application/json whatever Accept says", ANYBODY),
    met("378", "all its URLs are absolute", ABSOLUTE),
    met("381 382 383 384 385 393", "what discovery has to name", CONFIGURED),
    met("396 417", "a primary brand refers to this server's endpoint", BUNDLE),
    met("398 418 419", "the Bundle says when it last changed, and so does each brand", BUNDLE),
    met(
        "400 423",
        "brands are open to any origin",
        BUNDLE,
        f"{BRANDS}::another_origin_may_ask",
    ),
    met("402 403 421 436", "an Organization goes out as its operator wrote it", BUNDLE),
    not_ours(
        "405",
        "no reason for absent data but asked-declined and asked-unknown",
        "no reason is ever made up here",
    ),
    met("409 410 412 430 431 432", "discovery names the one primary brand", NAMED),
)


def documentation() -> str:
    """docs/conformance/smart.md."""
    rows = sorted((number, each) for each in REQUIREMENTS for number in each.numbers)
    lines = [f"| S{number} | {each.asks} | {_proof(each)} |" for number, each in rows]
    return "\n".join([HEAD, *lines, ""])


HEAD = """\
# SMART App Launch 2.2, number by number

Generated by `python -m tests.smart.requirements`; a test keeps it fresh. Every SHALL and SHALL NOT
for a server of hl7.fhir.uv.smart-app-launch 2.2.0, and the tests that try it, below tests/.

| number | what the server does | tried by |
|---|---|---|"""


def _proof(each: Requirement) -> str:
    if each.because:
        return f"not applicable: {each.because}"
    return "<br>".join(f"`{test.replace('::', '::test_')}`" for test in each.tests)


if __name__ == "__main__":
    sys.stdout.write(documentation())
