"""The tables of people who signed in and of what they approved; `id` is a hash where it names one.

What a browser or an app holds (session, code, refresh token, launch) is kept as its SHA-256, so
that whoever reads the database can use none of it. Rows go away after `expires`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Boolean, Column, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from app.storage.permission_tables import C_TEXT, INSTANT


def _now() -> Any:
    return Field(sa_column=Column(INSTANT, nullable=False, server_default=text("now()")))


def _expires() -> Any:
    return Field(sa_column=Column(INSTANT, nullable=False, index=True))


def _texts(default: str) -> Any:
    return Field(sa_column=Column(ARRAY(Text), nullable=False, server_default=default))


class SignInSession(SQLModel, table=True):
    """A browser in which somebody signed in; until `complete` a second factor is missing.

    `methods` are codes of RFC 8176; `agent` and `address` are for the person to know it again.
    """

    __tablename__ = "sign_in_session"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    username: str = Field(sa_column=Column(C_TEXT, nullable=False, index=True))
    created: datetime = _now()
    expires: datetime = _expires()
    methods: list[str] = _texts("{pwd}")
    complete: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("true")))
    agent: str | None = Field(default=None, sa_column=Column(Text))
    address: str | None = Field(default=None, sa_column=Column(Text))


class SignInThrottle(SQLModel, table=True):
    """Attempts to sign in for one account or from one address, `key` is a hash of which."""

    __tablename__ = "sign_in_throttle"
    key: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    attempts: int = Field(sa_column=Column(Integer, nullable=False))
    expires: datetime = _expires()


class AuthorizationRequest(SQLModel, table=True):
    """What an app asked for, until a person decides; `patient` is whom the person chose."""

    __tablename__ = "authorization_request"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    client_id: str = Field(sa_column=Column(C_TEXT, nullable=False))
    parameters: Any = Field(sa_column=Column(JSONB, nullable=False))
    patient: str | None = Field(default=None, sa_column=Column(C_TEXT))
    expires: datetime = _expires()


class LaunchContext(SQLModel, table=True):
    """What a record system wants an app opened with: once, for one client, perhaps for one user."""

    __tablename__ = "launch_context"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    client_id: str = Field(sa_column=Column(C_TEXT, nullable=False))
    username: str | None = Field(default=None, sa_column=Column(C_TEXT))
    context: Any = Field(sa_column=Column(JSONB, nullable=False))
    expires: datetime = _expires()


class Approval(SQLModel, table=True):
    """That a person lets an app act for them: the family of all tokens that follow from it."""

    __tablename__ = "approval"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    client_id: str = Field(sa_column=Column(C_TEXT, nullable=False))
    username: str = Field(sa_column=Column(C_TEXT, nullable=False, index=True))
    session: str = Field(sa_column=Column(C_TEXT, nullable=False))
    scope: str = Field(sa_column=Column(Text, nullable=False))
    patient: str | None = Field(default=None, sa_column=Column(C_TEXT))
    context: Any = Field(sa_column=Column(JSONB, nullable=False))
    authenticated: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    methods: list[str] = _texts("{}")
    created: datetime = _now()
    dpop_jkt: str | None = Field(default=None, sa_column=Column(C_TEXT))
    last_used: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    ended: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    expires: datetime = _expires()


class AuthorizationCode(SQLModel, table=True):
    """A code, kept after its use so that a second use is known as one."""

    __tablename__ = "authorization_code"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    approval: str = Field(sa_column=Column(C_TEXT, nullable=False))
    redirect_uri: str = Field(sa_column=Column(Text, nullable=False))
    code_challenge: str = Field(sa_column=Column(Text, nullable=False))
    nonce: str | None = Field(default=None, sa_column=Column(Text))
    dpop_jkt: str | None = Field(default=None, sa_column=Column(C_TEXT))
    created: datetime = _now()
    used: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    expires: datetime = _expires()


class RefreshToken(SQLModel, table=True):
    """A refresh token of an approval, kept after its use so that a second use is known as one."""

    __tablename__ = "refresh_token"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    approval: str = Field(sa_column=Column(C_TEXT, nullable=False))
    used: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    expires: datetime = _expires()


class ClientRegistration(SQLModel, table=True):
    """What somebody's software asked to be registered as; a client only once it is approved."""

    __tablename__ = "client_registration"
    client_id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    token_hash: str = Field(sa_column=Column(C_TEXT, nullable=False))
    secret_hash: str | None = Field(default=None, sa_column=Column(Text))
    metadata_: Any = Field(sa_column=Column("metadata", JSONB, nullable=False))
    requested: datetime = _now()
    approved: datetime | None = Field(default=None, sa_column=Column(INSTANT))
