"""What a client needs to know before it asks: only what works now is listed.

https://hl7.org/fhir/smart-app-launch/conformance.html#using-well-known,
https://www.rfc-editor.org/rfc/rfc8414, https://www.rfc-editor.org/rfc/rfc9728,
https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from typing import Any

from app.auth.authority import Authority
from app.auth.clients import ALGORITHMS
from app.auth.dpop import ALGORITHMS as PROOFS
from app.auth.id_token import ONE_FACTOR, TWO_FACTORS
from app.auth.keys import ID_TOKEN_ALGORITHM
from app.auth.token import GRANTS

CAPABILITIES = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-asymmetric",
    "client-confidential-symmetric",
    "sso-openid-connect",
    "context-banner",
    "context-style",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)
AUTH_METHODS = ("private_key_jwt", "client_secret_basic", "client_secret_post", "none")
CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "acr", "fhirUser")
SCOPES = (
    "openid",
    "fhirUser",
    "profile",
    "launch",
    "launch/patient",
    "launch/encounter",
    "launch/careplan",
    "offline_access",
    "online_access",
    *(
        f"{context}/*.{permission}"
        for context in ("patient", "user", "system")
        for permission in ("cruds", "rs", "read", "write", "*")
    ),
)
"""Of the resource scopes examples: any supported type and any letters in order are supported."""


PASSED_ON = (
    "issuer",
    "jwks_uri",
    "authorization_endpoint",
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "registration_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "grant_types_supported",
    "response_types_supported",
    "code_challenge_methods_supported",
    "scopes_supported",
)
"""What of another issuer's metadata smart-configuration has a place for."""


def smart_configuration(authority: Authority) -> dict[str, Any]:
    """/.well-known/smart-configuration of the FHIR base."""
    return (
        _endpoints(authority)
        | _brands(authority)
        | {
            "management_endpoint": f"{authority.issuer}/auth/apps",
            "capabilities": list(CAPABILITIES),
        }
    )


def _brands(authority: Authority) -> dict[str, Any]:
    """https://hl7.org/fhir/smart-app-launch/brands.html#conformance-overview"""
    tokens = authority.settings.brands.split()
    if not tokens:
        return {}
    system, _, value = tokens[0].partition("|")
    return {
        "user_access_brand_bundle": f"{authority.issuer}/brands",
        "user_access_brand_identifier": {"system": system, "value": value},
    }


async def external_configuration(authority: Authority) -> dict[str, Any]:
    """smart-configuration of a server that issues no tokens: where its first issuer does.

    Raises Unreachable.
    """
    issuers = authority.providers.issuers.issuers
    first = next(each for each in issuers if each.audience)
    said = (await authority.providers.metadata(first)).said
    passed_on = {name: said[name] for name in PASSED_ON if name in said}
    return passed_on | {"capabilities": [c for c in CAPABILITIES if c.startswith("permission-")]}


def server_metadata(authority: Authority) -> dict[str, Any]:
    """/.well-known/oauth-authorization-server of the issuer."""
    return _endpoints(authority) | {
        "authorization_response_iss_parameter_supported": True,
        "protected_resources": [authority.audience],
    }


def openid_configuration(authority: Authority) -> dict[str, Any]:
    """/.well-known/openid-configuration of the issuer."""
    return server_metadata(authority) | {
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ID_TOKEN_ALGORITHM],
        "claims_supported": list(CLAIMS),
        "acr_values_supported": [ONE_FACTOR, TWO_FACTORS],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": ["en", "es"],
    }


def resource_metadata(authority: Authority) -> dict[str, Any]:
    """/.well-known/oauth-protected-resource of the FHIR base."""
    trusted = authority.providers.issuers
    own = [] if trusted.only else [authority.issuer]
    return {
        "resource": authority.audience,
        "resource_name": "isp-fhir",
        "authorization_servers": own + [each.issuer for each in trusted.issuers if each.audience],
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(PROOFS),
        "dpop_bound_access_tokens_required": False,
    }


def _endpoints(authority: Authority) -> dict[str, Any]:
    issuer = authority.issuer
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/auth/jwks",
        "authorization_endpoint": f"{issuer}/auth/authorize",
        "pushed_authorization_request_endpoint": authority.pushed_request_endpoint,
        "require_pushed_authorization_requests": False,
        "token_endpoint": authority.token_endpoint,
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "registration_endpoint": f"{issuer}/auth/register",
        "revocation_endpoint": f"{issuer}/auth/revoke",
        "introspection_endpoint": f"{issuer}/auth/introspect",
        "grant_types_supported": list(GRANTS),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": list(PROOFS),
        "scopes_supported": list(SCOPES),
    }
