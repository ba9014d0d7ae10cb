"""The other authorization servers an operator trusts: a file that is read once.

docs/external-issuers.md shows one.
"""

from dataclasses import field
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from app.auth.roles import ROLES

STRICT = ConfigDict(extra="forbid")

Algorithm = Literal["RS256", "RS384", "ES256", "ES384"]
ExtraScope = Literal["__introspection", "__launch"]


class InvalidIssuers(ValueError):
    """The file cannot be used; the message says what to change."""


@dataclass(frozen=True, slots=True, config=STRICT)
class ClaimNames:
    """Where a token says what: a name, or a path with dots into objects, as realm_access.roles."""

    role: str = "role"
    fhir_user: str = "fhirUser"
    organization: str = "organization"
    patient: str = "patient"
    scope: str = "scope"
    client_id: str = "client_id"


@dataclass(frozen=True, slots=True, config=STRICT)
class SignIn:
    """How people sign in with an issuer: as which client of it, under which `name` on our page.

    `secret_file` holds the client's secret; without it the client is public. `parameters` go along
    with the authorization request. With `makes_accounts` whoever comes with a role and a fhirUser
    gets an account; otherwise an operator binds people to theirs.
    """

    name: str
    client_id: str
    secret_file: Path | None = None
    scope: str = "openid"
    parameters: dict[str, str] = field(default_factory=dict)
    makes_accounts: bool = False


@dataclass(frozen=True, slots=True, config=STRICT)
class Issuer:
    """One authorization server: what it signs with, what its words mean, what it is trusted for.

    With an `audience` its access tokens for that audience are taken, if their header has this
    `typ`. `roles` are ours by theirs, the first that a token has counts. `is_inside`: it is at
    an address inside our network, or speaks plain http. `extra_scopes`: those beside the data that
    its tokens may have.
    """

    issuer: str
    algorithms: tuple[Algorithm, ...]
    roles: dict[str, str]
    audience: str | None = None
    typ: str = "at+jwt"
    claims: ClaimNames = field(default_factory=ClaimNames)
    sign_in: SignIn | None = None
    is_inside: bool = False
    extra_scopes: tuple[ExtraScope, ...] = ()


@dataclass(frozen=True, slots=True, config=STRICT)
class Issuers:
    """All of them; `only`: this server issues no tokens and signs nobody in."""

    issuers: tuple[Issuer, ...] = ()
    only: bool = False

    def find(self, issuer: object) -> Issuer | None:
        """The issuer with this identifier, compared letter by letter."""
        return next((each for each in self.issuers if each.issuer == issuer), None)


_FILE = TypeAdapter(Issuers)


def read_issuers(path: str, own: str) -> Issuers:
    """The issuers of a file, none without a path; `own` is this server. Raises InvalidIssuers."""
    if not path:
        return Issuers()
    try:
        found = _FILE.validate_json(Path(path).read_bytes())
    except OSError as error:
        raise InvalidIssuers(f"{path} cannot be read") from error
    except ValidationError as error:
        told = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise InvalidIssuers(f"{path}: {'; '.join(told)}") from error
    for fault in _faults(found, own):
        raise InvalidIssuers(f"{path}: {fault}")
    return found


def _faults(found: Issuers, own: str) -> list[str]:
    names = [each.issuer for each in found.issuers]
    faults = []
    if len(set(names)) != len(names) or own in names:
        faults.append("each issuer is named once, and this server not at all")
    if found.only and not any(each.audience for each in found.issuers):
        faults.append("only: an issuer needs an audience, or no token would be taken")
    for each in found.issuers:
        if unknown := set(each.roles.values()) - set(ROLES):
            faults.append(f"{each.issuer}: unknown roles {', '.join(sorted(unknown))}")
        if not each.algorithms:
            faults.append(f"{each.issuer}: algorithms are missing")
        if each.audience is None and each.sign_in is None:
            faults.append(f"{each.issuer}: it has neither an audience nor a sign_in")
    return faults
