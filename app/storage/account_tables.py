"""The tables of what changes while the server runs: passwords, second factors, terms of clients.

Who an account is, and in which role, is in `account`, which the server can only add to. What hangs
on an account goes away with it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlmodel import Field, SQLModel

from app.storage.permission_tables import C_TEXT, INSTANT


def _subject(**options: Any) -> Any:
    owner = ForeignKey("account.subject", ondelete="CASCADE")
    return Field(sa_column=Column(C_TEXT, owner, **options))


def _expires() -> Any:
    return Field(sa_column=Column(INSTANT, nullable=False, index=True))


class AccountState(SQLModel, table=True):
    """A password in place of the account's first one, a mail address, since when it is locked."""

    __tablename__ = "account_state"
    subject: str = _subject(primary_key=True)
    password_hash: str | None = Field(default=None, sa_column=Column(Text))
    email: str | None = Field(default=None, sa_column=Column(C_TEXT, index=True))
    locked: datetime | None = Field(default=None, sa_column=Column(INSTANT))


class OneTimeLink(SQLModel, table=True):
    """What a link in a mail stands for, `id` its hash: an invitation, or a new password."""

    __tablename__ = "one_time_link"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    subject: str | None = _subject(nullable=True)
    invitation: Any = Field(default=None, sa_column=Column(JSONB))
    expires: datetime = _expires()


class Totp(SQLModel, table=True):
    """The secret of an authenticator app; no code of `last_step` or before it counts again."""

    __tablename__ = "totp"
    subject: str = _subject(primary_key=True)
    secret: str = Field(sa_column=Column(Text, nullable=False))
    last_step: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))


class RecoveryCode(SQLModel, table=True):
    """A code for who lost their second factor, as its hash; gone once it was used."""

    __tablename__ = "recovery_code"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    subject: str = _subject(nullable=False, index=True)


class Passkey(SQLModel, table=True):
    """A WebAuthn credential; `id` is the credential id in base64url."""

    __tablename__ = "passkey"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    subject: str = _subject(nullable=False, index=True)
    public_key: bytes = Field(sa_column=Column(BYTEA, nullable=False))
    sign_count: int = Field(sa_column=Column(BigInteger, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    created: datetime = Field(
        sa_column=Column(INSTANT, nullable=False, server_default=text("now()"))
    )
    last_used: datetime | None = Field(default=None, sa_column=Column(INSTANT))


class PasskeyChallenge(SQLModel, table=True):
    """A challenge that was given to one browser, as the hash of both."""

    __tablename__ = "passkey_challenge"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    expires: datetime = _expires()


class ClientTerms(SQLModel, table=True):
    """Until when a client's secret counts, the one before it, and how much it may ask a minute."""

    __tablename__ = "client_terms"
    client_id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    secret_expires: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    previous_secret_hash: str | None = Field(default=None, sa_column=Column(Text))
    previous_expires: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    requests_per_minute: int | None = Field(default=None, sa_column=Column(Integer))


class ClientUsage(SQLModel, table=True):
    """How many requests the workers took out of a client's minute, which ends at `expires`."""

    __tablename__ = "client_usage"
    client_id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    taken: int = Field(sa_column=Column(Integer, nullable=False))
    expires: datetime = _expires()
