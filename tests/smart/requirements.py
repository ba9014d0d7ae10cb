"""Every SHALL of SMART App Launch 2.2.0 for a server: where it is tried, or why it is not ours.

Numbers are those of hl7.fhir.uv.smart-app-launch_2.2.0 as conformance kits list them. Prints
docs/conformance/smart.md: `python -m tests.smart.requirements > docs/conformance/smart.md`.
"""

import sys

from tests.smart.requirement import (
    ABSOLUTE,
    ANYBODY,
    ASSERTED,
    ASSERTION,
    BACKEND,
    BRANDS,
    BUNDLE,
    CONFIGURED,
    HTTP,
    INTROSPECTED,
    JOSE,
    JWKS,
    LAUNCH,
    NAMED,
    OPENED,
    REGISTER,
    REVOKE,
    SEES,
    STANDALONE,
    TOKEN,
    Requirement,
    met,
    not_ours,
)
from tests.smart.requirements_of_apps import OF_APPS

OF_SERVERS = (
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
    met("310", "RS384 and ES384", BACKEND, f"{ASSERTION}::an_rs384_assertion_is_as_good"),
    met(
        "336",
        "an assertion works once",
        f"{ASSERTION}::an_assertion_works_once",
        f"{ASSERTION}::of_32_concurrent_redemptions_of_an_assertion_one_succeeds",
    ),
    met(
        "337", "iss is the client", ASSERTED, f"{ASSERTION}::client_id_must_be_the_one_that_signed"
    ),
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
        f"{ASSERTION}::an_assertion_signed_by_another_key_is_refused",
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

REQUIREMENTS = (*OF_APPS, *OF_SERVERS)


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
