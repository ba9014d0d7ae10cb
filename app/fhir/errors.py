"""The errors a FHIR interaction ends with, each carrying its HTTP status and issue type.

FHIRError
├── BadRequest            400  invalid
├── Unauthorized          401  login
├── Forbidden             403  forbidden
├── NotFound              404  not-found
├── MethodNotAllowed      405  not-supported
├── NotAcceptable         406  not-supported
├── Conflict              409  conflict
├── Gone                  410  deleted
├── PreconditionFailed    412  conflict
├── TooLarge              413  too-long
├── UnsupportedMediaType  415  not-supported
├── Unprocessable         422  processing
├── TooManyRequests       429  throttled
├── Unavailable           503  transient
└── Timeout               504  timeout

https://hl7.org/fhir/R4/http.html#Status-Codes, https://hl7.org/fhir/R4/valueset-issue-type.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing found: what (diagnostics), where (FHIRPath expression), how bad (severity)."""

    code: str
    diagnostics: str
    expression: tuple[str, ...] = ()
    severity: str = "error"

    def to_json(self) -> dict[str, Any]:
        """The OperationOutcome.issue element."""
        issue: dict[str, Any] = {"severity": self.severity, "code": self.code}
        issue["diagnostics"] = self.diagnostics
        if self.expression:
            issue["expression"] = list(self.expression)
        return issue


def operation_outcome(issues: Sequence[Issue]) -> dict[str, Any]:
    """An OperationOutcome of these issues. https://hl7.org/fhir/R4/operationoutcome.html"""
    return {"resourceType": "OperationOutcome", "issue": [issue.to_json() for issue in issues]}


class FHIRError(Exception):
    """What ends an interaction; `diagnostics` is for the caller and never holds personal data."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"

    def __init__(
        self,
        diagnostics: str,
        *,
        expression: Sequence[str] = (),
        code: str | None = None,
        issues: Sequence[Issue] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(diagnostics)
        own = Issue(code or self.code, diagnostics, tuple(expression))
        self.issues: tuple[Issue, ...] = tuple(issues) or (own,)
        self.headers: Mapping[str, str] = headers or {}

    def outcome(self) -> dict[str, Any]:
        """The OperationOutcome that tells the caller what happened."""
        return operation_outcome(self.issues)


class BadRequest(FHIRError):
    status, code = 400, "invalid"


class Unauthorized(FHIRError):
    status, code = 401, "login"


class Forbidden(FHIRError):
    status, code = 403, "forbidden"


class NotFound(FHIRError):
    status, code = 404, "not-found"


class MethodNotAllowed(FHIRError):
    status, code = 405, "not-supported"


class NotAcceptable(FHIRError):
    status, code = 406, "not-supported"


class Conflict(FHIRError):
    status, code = 409, "conflict"


class Gone(FHIRError):
    status, code = 410, "deleted"


class PreconditionFailed(FHIRError):
    status, code = 412, "conflict"


class TooLarge(FHIRError):
    status, code = 413, "too-long"


class UnsupportedMediaType(FHIRError):
    status, code = 415, "not-supported"


class Unprocessable(FHIRError):
    status, code = 422, "processing"


class TooManyRequests(FHIRError):
    status, code = 429, "throttled"


class Unavailable(FHIRError):
    status, code = 503, "transient"


class Timeout(FHIRError):
    status, code = 504, "timeout"
