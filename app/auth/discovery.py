"""What a client needs to know before it asks: only what works now is listed.

https://hl7.org/fhir/smart-app-launch/conformance.html#using-well-known,
https://www.rfc-editor.org/rfc/rfc8414
"""

from typing import Any

from app.auth.authority import Authority
from app.auth.clients import ALGORITHMS
from app.auth.token import GRANTS

CAPABILITIES = (
    "client-confidential-asymmetric",
    "client-confidential-symmetric",
    "permission-v1",
    "permission-v2",
)
AUTH_METHODS = ("private_key_jwt", "client_secret_basic", "client_secret_post")
SCOPES = (
    "system/*.cruds",
    "system/*.rs",
    "system/*.read",
    "system/*.write",
    "system/*.*",
)
"""Examples of a kind: any supported type and any letters in order are supported too."""


def smart_configuration(authority: Authority) -> dict[str, Any]:
    """/.well-known/smart-configuration of the FHIR base.

    `issuer` and `jwks_uri` are left out on purpose: SMART ties both to sso-openid-connect. S256 is
    listed because SMART requires the member of every server, whether or not it launches apps.
    """
    return _endpoints(authority) | {
        "capabilities": list(CAPABILITIES),
        "code_challenge_methods_supported": ["S256"],
    }


def server_metadata(authority: Authority) -> dict[str, Any]:
    """/.well-known/oauth-authorization-server of the issuer."""
    return _endpoints(authority) | {
        "issuer": authority.issuer,
        "jwks_uri": f"{authority.issuer}/auth/jwks",
        # RFC 8414 requires the member; without an authorization endpoint there is none.
        "response_types_supported": [],
    }


def _endpoints(authority: Authority) -> dict[str, Any]:
    issuer = authority.issuer
    return {
        "token_endpoint": authority.token_endpoint,
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "grant_types_supported": list(GRANTS),
        "scopes_supported": list(SCOPES),
        "revocation_endpoint": f"{issuer}/auth/revoke",
        "introspection_endpoint": f"{issuer}/auth/introspect",
    }
