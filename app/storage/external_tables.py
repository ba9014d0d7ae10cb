"""The tables of people who sign in with another OpenID provider."""

from datetime import datetime

from sqlalchemy import Column, Text, text
from sqlmodel import Field, SQLModel

from app.storage.permission_tables import C_TEXT, INSTANT


class ExternalSignIn(SQLModel, table=True):
    """Somebody on the way to another provider and back; `id` and `browser` are hashes.

    `request` is the handle of the authorization request it is for, "" for none.
    """

    __tablename__ = "external_sign_in"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    browser: str = Field(sa_column=Column(C_TEXT, nullable=False))
    issuer: str = Field(sa_column=Column(C_TEXT, nullable=False))
    nonce: str = Field(sa_column=Column(Text, nullable=False))
    code_verifier: str = Field(sa_column=Column(Text, nullable=False))
    request: str = Field(sa_column=Column(Text, nullable=False))
    expires: datetime = Field(sa_column=Column(INSTANT, nullable=False, index=True))


class ExternalIdentity(SQLModel, table=True):
    """Whose account somebody is whom another provider knows by (issuer, subject)."""

    __tablename__ = "external_identity"
    issuer: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    subject: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    username: str = Field(sa_column=Column(C_TEXT, nullable=False, index=True))
    created: datetime = Field(
        sa_column=Column(INSTANT, nullable=False, server_default=text("now()"))
    )
