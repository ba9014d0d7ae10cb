"""The Authority: everything the OAuth steps share, made once per worker and passed to each."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from app.auth.budgets import Budgets
from app.auth.caller import Callers
from app.auth.jwks import ClientKeys
from app.auth.keys import Keys
from app.auth.mail import Sender, sender_of
from app.auth.passwords import ProvenSecrets
from app.auth.providers import Providers
from app.auth.revocations import Revocations
from app.auth.roles import check_role
from app.settings import Settings
from app.storage.database import Database


@dataclass(frozen=True, slots=True)
class Event:
    """One grant or refusal, as the audit trail needs it.

    `action` is token, revoke, introspect, par, authorize, login, logout, launch, register, invite,
    password, factor or account; `source` is the IP address that asked, None for a command on this
    machine; `client_id` is as claimed when `error` is invalid_client; `error` is None when the
    request was granted; `user` is an account's subject, `fhir_user` a reference, `patient` the
    logical id of whom it is about, `about` the account's subject or client_id that was changed.
    """

    action: str
    request_id: str
    source: str | None = None
    client_id: str | None = None
    error: str | None = None
    description: str | None = None
    scope: str | None = None
    token_id: str | None = None
    user: str | None = None
    fhir_user: str | None = None
    role: str = "client"
    patient: str | None = None
    about: str | None = None


Audit = Callable[[Event], Awaitable[None]]
"""Returns when the event is durable; a token leaves only afterwards."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who issues and vouches for tokens: issuer, audience, keys, and what must not be forgotten."""

    settings: Settings
    database: Database
    audit: Audit
    keys: Keys
    callers: Callers
    revocations: Revocations
    client_keys: ClientKeys
    secrets: ProvenSecrets
    providers: Providers
    mail: Sender
    budgets: Budgets
    watching: "asyncio.Task[None]"

    @classmethod
    async def open(cls, settings: Settings, database: Database, audit: Audit) -> Self:
        """Make the Authority and begin to listen for revocations; the database may be away.

        Raises InvalidIssuers, ValueError for a setting that names an unknown role.
        """
        for role in settings.second_factors:
            check_role(role)
        providers = Providers.open(settings)
        keys, callers = Keys(database), Callers()
        revocations = Revocations(database, lambda: _forget(keys, callers))
        return cls(
            settings=settings,
            database=database,
            audit=audit,
            keys=keys,
            callers=callers,
            revocations=revocations,
            client_keys=ClientKeys(settings),
            secrets=ProvenSecrets(),
            providers=providers,
            mail=sender_of(settings),
            budgets=Budgets(database),
            watching=asyncio.create_task(revocations.watch(), name="revocations"),
        )

    async def close(self) -> None:
        """Stop listening; call it before the database is closed."""
        self.watching.cancel()
        with suppress(asyncio.CancelledError):
            await self.watching
        await self.client_keys.close()
        await self.providers.close()

    def forget(self) -> None:
        """Believe no key and no caller seen before: a change may have gone unheard."""
        _forget(self.keys, self.callers)

    @property
    def issuer(self) -> str:
        """The `iss` of every token."""
        return self.settings.issuer

    @property
    def audience(self) -> str:
        """The `aud` of every access token: the FHIR base URL."""
        return self.settings.base_url

    @property
    def token_endpoint(self) -> str:
        """The URL a client assertion must be addressed to."""
        return f"{self.issuer}/auth/token"

    @property
    def pushed_request_endpoint(self) -> str:
        """Where apps push what they are going to ask for."""
        return f"{self.issuer}/auth/par"


def _forget(keys: Keys, callers: Callers) -> None:
    keys.forget()
    callers.clear()
