"""The errors of OAuth endpoints, each carrying its HTTP status and error code.

OAuthError
├── InvalidRequest         400  invalid_request
├── InvalidClient          401  invalid_client
├── UnauthorizedClient     400  unauthorized_client
├── UnsupportedGrantType   400  unsupported_grant_type
├── InvalidGrant           400  invalid_grant
├── InvalidScope           400  invalid_scope
├── InvalidDPoPProof       400  invalid_dpop_proof
├── SlowDown               429  slow_down
└── told to an app by a redirect: UnsupportedResponseType, AccessDenied, LoginRequired,
    ConsentRequired, RequestNotSupported, RequestURINotSupported

https://www.rfc-editor.org/rfc/rfc6749#section-5.2, https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1,
https://openid.net/specs/openid-connect-core-1_0.html#AuthError
"""

from collections.abc import Mapping
from typing import ClassVar


class OAuthError(Exception):
    """What ends an OAuth request; `description` is for the client's developer, no personal data."""

    status: ClassVar[int] = 400
    error: ClassVar[str] = "invalid_request"
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description

    def to_json(self) -> dict[str, str]:
        """The error response body."""
        return {"error": self.error, "error_description": self.description}


class InvalidRequest(OAuthError):
    error = "invalid_request"


class InvalidClient(OAuthError):
    # RFC 6749 5.2 allows 401 for any failure to authenticate, and HTTP then requires a challenge.
    status, error = 401, "invalid_client"
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Basic realm="token"'}


class UnauthorizedClient(OAuthError):
    error = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    error = "unsupported_grant_type"


class InvalidScope(OAuthError):
    error = "invalid_scope"


class InvalidDPoPProof(OAuthError):
    error = "invalid_dpop_proof"


class InvalidGrant(OAuthError):
    error = "invalid_grant"


class SlowDown(OAuthError):
    """`wait` in seconds. No RFC has a code for it; this is the one of RFC 8628 section 3.5."""

    status, error = 429, "slow_down"

    def __init__(self, description: str, wait: int) -> None:
        super().__init__(description)
        self.headers = {"Retry-After": str(wait)}  # type: ignore[misc]


class UnsupportedResponseType(OAuthError):
    error = "unsupported_response_type"


class AccessDenied(OAuthError):
    status, error = 403, "access_denied"


class LoginRequired(OAuthError):
    error = "login_required"


class ConsentRequired(OAuthError):
    error = "consent_required"


class RequestNotSupported(OAuthError):
    error = "request_not_supported"


class RequestURINotSupported(OAuthError):
    error = "request_uri_not_supported"
