"""RFC 9700, section by section: what it demands of a server, where it is tried, or why it is not.

Prints docs/conformance/rfc9700.md: `python -m tests.security.rfc9700`.
"""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """What a section demands (`asks`, in our words), tried by `tests`, or `because` why not."""

    section: str
    level: str
    asks: str
    tests: tuple[str, ...] = ()
    because: str = ""


def met(section: str, level: str, asks: str, *tests: str) -> Sentence:
    return Sentence(section, level, asks, tests)


def clients(section: str, level: str, asks: str, because: str = "a client's duty") -> Sentence:
    return Sentence(section, level, asks, because=f"not applicable: {because}")


def departs(section: str, level: str, asks: str, because: str) -> Sentence:
    return Sentence(section, level, asks, because=f"**departs**: {because}")


AUTHORIZE, CODES = "smart/test_authorize.py", "smart/test_codes.py"
REFRESH, SIGN_IN = "smart/test_refresh.py", "smart/test_sign_in.py"
PAGES = "smart/test_pages.py"
ATTACKS, DPOP = "smart/test_oauth_attacks.py", "smart/test_dpop.py"
LIAR = "smart/test_lying_provider.py"
TOKEN, ASSERTION = "auth/test_token.py", "auth/test_assertion.py"
DISCOVERY, ACCESS = "auth/test_discovery.py", "auth/test_access_token.py"

EXACT = f"{AUTHORIZE}::an_error_is_shown_until_the_address_is_known_to_be_the_apps"
PORT = f"{AUTHORIZE}::only_the_port_of_a_loopback_address_may_vary"
TOLD = f"{AUTHORIZE}::afterwards_the_app_is_told"
OURS = f"{SIGN_IN}::signing_in_leads_only_to_our_own_pages"
ISS = f"{ATTACKS}::every_answer_says_whose_it_is"
SEE_OTHER = f"{ATTACKS}::no_redirect_lets_a_browser_send_a_form_again"
VERIFIER = f"{CODES}::a_code_opens_nothing_without_all_that_belongs_to_it"
REPLAYED = f"{CODES}::a_replayed_code_ends_what_it_had_opened"
CONFIGURED = f"{DISCOVERY}::the_configuration_has_what_smart_requires"
REFUSED = "auth/test_registration.py::a_registration_that_could_not_work_is_refused"
MIXED_UP = f"{LIAR}::an_answer_that_is_mixed_up_signs_nobody_in"
CSRF = f"{LIAR}::an_answer_is_for_the_browser_that_left_and_for_it_once"
NONCE = f"{LIAR}::an_id_token_with_a_wrong_claim_signs_nobody_in"
BOUND = f"{DPOP}::a_bound_token_is_no_bearer_token"
PROVED = f"{DPOP}::of_many_who_send_one_proof_at_once_one_is_let_in"
BOUND_REFRESH = f"{DPOP}::a_public_app_refreshes_with_its_key_only"
FAMILY = f"{REFRESH}::a_second_use_ends_the_family"
AUDIENCE = f"{ACCESS}::a_claim_missing_or_wrong_makes_a_token_invalid"
LETTERS = "http/test_scopes.py::each_interaction_needs_its_letter"
FRAMED = f"{PAGES}::no_page_can_be_framed_scripted_or_kept"
CORS = f"{PAGES}::other_origins_may_not_read_a_page_but_may_ask_for_tokens"
IMPOSTOR = f"{ATTACKS}::no_app_acts_as_a_person_whose_subject_it_took_for_its_id"
NO_REFERER = f"{ATTACKS}::no_page_leads_or_reaches_elsewhere"
INJECTED = f"{ATTACKS}::a_victims_code_is_worth_nothing_in_another_session_of_its_app"
NO_GRANT = f"{TOKEN}::a_request_must_be_complete"
SECRETS = f"{PAGES}::no_url_of_a_launch_holds_what_is_secret"
POSTMESSAGE = "answers go by redirect alone, never by postMessage"

SENTENCES = (
    met("2.1", "MUST", "redirect URIs are compared as strings; loopback ports vary", EXACT, PORT),
    met("2.1", "MUST NOT", "no URL forwards to an address taken from a parameter", OURS, EXACT),
    met("2.1", "MUST", "as a client of other providers: state is of one browser, once", CSRF),
    met("2.1", "REQUIRED", "as a client of several providers: mix-ups are noticed", MIXED_UP),
    met("2.1", "SHOULD", "iss is in each answer, and is compared", ISS, MIXED_UP),
    met("2.1", "MUST", "credentials are not forwarded by a redirect", SEE_OTHER),
    met("2.1.1", "MUST", "as a client: PKCE, made anew for each sign-in", CSRF),
    met("2.1.1", "MUST", "as an OpenID client: the nonce is checked", NONCE),
    clients("2.1.1", "SHOULD", "clients choose a challenge that hides the verifier: S256"),
    met("2.1.1", "MUST", "PKCE is supported, and required of every client", TOLD),
    met("2.1.1", "MUST", "with a challenge the verifier is enforced", VERIFIER),
    met("2.1.1", "MUST", "a verifier counts only after a challenge (downgrade)", TOLD, VERIFIER),
    met("2.1.1", "MUST", "that PKCE is supported can be found out", CONFIGURED),
    met("2.1.2", "SHOULD NOT", "no access token comes from the authorization endpoint", TOLD),
    met("2.2.1", "SHOULD", "tokens can be bound to a key (DPoP)", BOUND),
    met(
        "2.2.2",
        "MUST",
        "refresh tokens of public clients rotate or are bound",
        FAMILY,
        BOUND_REFRESH,
    ),
    met(
        "2.3",
        "SHOULD",
        "a token opens no more than its scopes",
        LETTERS,
        f"{AUTHORIZE}::an_app_gets_nothing_beyond_its_registration",
    ),
    met("2.3", "MUST", "a token for another server opens nothing", AUDIENCE),
    met("2.4", "MUST NOT", "there is no password grant", NO_GRANT),
    met(
        "2.5",
        "SHOULD",
        "clients that can keep a secret authenticate",
        f"{CODES}::an_app_with_a_secret_has_to_show_it",
        f"{TOKEN}::a_client_uses_only_the_way_it_is_registered_for",
    ),
    met(
        "2.5",
        "RECOMMENDED",
        "clients may authenticate with a key",
        f"{TOKEN}::a_backend_service_gets_a_token_that_works",
        f"{ASSERTION}::of_32_concurrent_redemptions_of_an_assertion_one_succeeds",
    ),
    met(
        "2.6",
        "RECOMMENDED",
        "RFC 8414 metadata is published",
        f"{DISCOVERY}::openid_providers_and_resources_are_described_where_they_are_looked_for",
    ),
    met("2.6", "SHOULD NOT", "a client's id cannot be taken for a person", IMPOSTOR),
    met(
        "2.6",
        "RECOMMENDED",
        "TLS: half secure settings do not start",
        "running/test_settings.py::what_is_refused",
    ),
    met("2.6", "MUST NOT", "no redirect URI is http but on loopback", REFUSED),
    clients("2.6", "MUST", "senders and receivers of messages are verified", POSTMESSAGE),
    met("2.6", "MUST NOT", "no CORS at the authorization endpoint", CORS),
    met("4.1.3", "MUST", "redirect URIs are equal as strings", EXACT),
    met("4.1.3", "MUST", "the port of a loopback redirect may vary", PORT),
    clients("4.1.3", "MUST NOT", "hosts of redirect URIs are no open redirectors"),
    met("4.2.4", "SHOULD NOT", "pages have no third-party resource or outside link", NO_REFERER),
    met("4.2.4", "MUST", "a code is void after its first use", REPLAYED),
    met("4.2.4", "SHOULD", "the second use of a code revokes its tokens", REPLAYED),
    met("4.2.4", "SHOULD", "as a client: state is void after its first use", CSRF),
    met("4.3.1", "SHOULD", "a code in a history is of no use: short, once, bound", INJECTED),
    met(
        "4.3.2",
        "MUST NOT",
        "no token is taken from, or put into, a URL",
        f"{ATTACKS}::a_token_in_the_url_or_the_form_opens_nothing",
        SECRETS,
    ),
    met("4.4.2", "MUST", "as a client: the issuer of each request is stored", MIXED_UP),
    met(
        "4.4.2.1",
        "MUST",
        "as a client: iss is compared, and a mismatch ends it",
        MIXED_UP,
        f"{LIAR}::a_provider_that_says_iss_has_to_say_it",
    ),
    clients("4.4.2.2", "MUST", "a redirect URI for each issuer", "iss is used instead"),
    met("4.5.3.1", "SHOULD", "code injection: PKCE", INJECTED),
    met("4.5.3.2", "MUST", "code injection: as a client, the nonce", NONCE),
    met(
        "4.6.1",
        "SHOULD",
        "token injection: an id token is no access token",
        "smart/test_openid.py::an_id_token_opens_nothing",
        "smart/test_external_issuer.py::an_id_token_is_no_access_token",
    ),
    met("4.7.1", "MUST", "as a client: state or PKCE or nonce against CSRF", CSRF),
    met(
        "4.7.1",
        "MUST",
        "forms of ours are sent by pages of ours",
        f"{PAGES}::a_form_that_no_page_of_ours_sent_does_nothing",
    ),
    met("4.8.2", "MUST", "PKCE downgrade: no request without a challenge", TOLD),
    met("4.8.2", "MUST", "PKCE downgrade: a verifier without a challenge", VERIFIER),
    met("4.9.3", "SHOULD", "tokens are bound to sender and audience", BOUND, AUDIENCE),
    met(
        "4.9.3",
        "MUST",
        "tokens are secrets: in no log and no table",
        f"{CODES}::the_database_keeps_no_code_and_no_token",
        f"{SIGN_IN}::names_and_passwords_are_in_no_url_and_no_audit_event",
    ),
    met("4.10.1", "SHOULD", "stolen tokens: a proof is of one request, once", PROVED),
    met("4.10.2", "SHOULD", "stolen tokens: the audience is checked", AUDIENCE),
    clients("4.11.1", "MUST NOT", "clients are no open redirectors"),
    met("4.11.2", "MUST NOT", "a wrong client or address is never redirected to", EXACT),
    met(
        "4.11.2",
        "SHOULD",
        "redirects go to addresses an operator trusted",
        "smart/test_client_registration.py::an_app_registers_is_approved_and_launched",
    ),
    departs(
        "4.11.2",
        "MUST",
        "the person signs in before any redirect",
        "an app is told at once that its request is wrong, as RFC 6749 4.1.2.1 wants it; the "
        "address is one that an operator approved, never one that registered itself",
    ),
    met("4.12", "MUST NOT", "no redirect is a 307", SEE_OTHER),
    met("4.12", "SHOULD", "redirects are 303", SEE_OTHER),
    clients(
        "4.13",
        "MUST",
        "the reverse proxy cleans the headers of requests",
        "the proxy's duty; X-Forwarded-* counts from ISP_TRUSTED_PROXIES alone",
    ),
    met(
        "4.14.2",
        "MUST",
        "whether there is a refresh token is decided per client and person",
        "smart/test_launch.py::a_person_takes_scopes_away",
    ),
    met(
        "4.14.2",
        "MUST",
        "a refresh token is bound to scope and server",
        f"{REFRESH}::fewer_scopes_may_be_asked_and_no_more",
    ),
    met(
        "4.14.2",
        "MUST",
        "a refresh token is its client's alone",
        f"{REFRESH}::another_app_cannot_use_a_refresh_token",
    ),
    met("4.14.2", "MUST", "replayed refresh tokens are noticed, and end the family", FAMILY),
    met(
        "4.14.2",
        "MAY",
        "signing out and a new password end refresh tokens",
        f"{REFRESH}::offline_access_outlives_signing_out_and_online_access_does_not",
        f"{SIGN_IN}::with_an_account_end_its_sessions_and_what_it_approved",
    ),
    met(
        "4.14.2",
        "SHOULD",
        "unused refresh tokens expire",
        f"{REFRESH}::a_refresh_token_lasts_three_months_from_its_last_use",
    ),
    met("4.15.1", "SHOULD NOT", "a client cannot pass for a person", IMPOSTOR),
    met(
        "4.16",
        "MUST",
        "no page can be framed",
        FRAMED,
        "smart/test_browser.py::no_other_site_can_frame_the_page_that_asks",
    ),
    met("4.16", "SHOULD", "CSP level 2 on every page, with X-Frame-Options", FRAMED),
    departs(
        "4.16",
        "SHOULD",
        "operators may allow origins to frame",
        "nobody may frame a page that asks for a password or an approval",
    ),
    clients("4.17", "MUST", "messages between windows are verified", POSTMESSAGE),
)

HEAD = """\
# OAuth 2.0 Security Best Current Practice (RFC 9700), sentence by sentence

Generated by `python -m tests.security.rfc9700`; a test keeps it fresh. What RFC 9700 demands, in
our words, by section, and the tests below tests/ that try it. This server is an authorization
server, a resource server, and a client of the providers people sign in with
([external-issuers.md](../external-issuers.md)).

| section | level | what the server does | tried by |
|---|---|---|---|"""


def documentation() -> str:
    """docs/conformance/rfc9700.md."""
    rows = [f"| {s.section} | {s.level} | {s.asks} | {_proof(s)} |" for s in SENTENCES]
    return "\n".join([HEAD, *rows, ""])


def _proof(sentence: Sentence) -> str:
    if sentence.because:
        return sentence.because
    return "<br>".join(f"`{test.replace('::', '::test_')}`" for test in sentence.tests)


if __name__ == "__main__":
    sys.stdout.write(documentation())
