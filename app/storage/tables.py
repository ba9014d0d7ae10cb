"""The schema on one page; on others who may see what (permission_tables.py) and who signed in.

`resource` holds current versions and `resource_version` every version. Search reads `resource.keys`
and `index_*`. Only `commit` writes them. Migrations in alembic/ create exactly this; a test
compares the two.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TEXT
from sqlmodel import Field, SQLModel

from app.storage.account_tables import AccountState
from app.storage.asynchronous_tables import AsynchronousRequest
from app.storage.audit_seal_tables import AuditSeal
from app.storage.external_tables import ExternalIdentity
from app.storage.labelling_tables import Labelling
from app.storage.permission_tables import C_TEXT, INSTANT, Affiliation, ConsentRule, Relationship
from app.storage.registry_tables import RegisteredParameter, SearchIndex, SearchRegistry
from app.storage.search_tables import IndexComposite, IndexText
from app.storage.sign_in_tables import Approval

__all__ = [
    "AccountState",
    "Affiliation",
    "Approval",
    "AsynchronousRequest",
    "AuditSeal",
    "ConsentRule",
    "ExternalIdentity",
    "IndexComposite",
    "IndexText",
    "Labelling",
    "RegisteredParameter",
    "Relationship",
    "Resource",
    "SearchIndex",
    "SearchRegistry",
]

UNBUFFERED = {"fastupdate": "off"}


class Resource(SQLModel, table=True):
    """The current version of a resource, its body exactly as it is sent.

    `patient` is the logical id of the one patient it is about; `patients` holds them where a type
    can be about several. `keys` are 64-bit hashes of its token, uri and presence search values;
    `digest` hashes what was written of it to other tables, to tell whether that has to change. What
    follows `digest` is what consents are compared with: see app/fhir/marks.py. `pointers` are the
    relative references to records in the body ("Type/id"), NULL where that was not looked at.
    """

    __tablename__ = "resource"
    __table_args__ = (
        Index("resource_type_id", "type", "id", unique=True),
        Index("resource_patient", "patient", "type", "last_updated"),
        Index("resource_last_updated", "type", "last_updated", "rid"),
        Index("resource_keys", "keys", postgresql_using="gin", postgresql_with=UNBUFFERED),
    )
    rid: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    type: str = Field(sa_column=Column(C_TEXT, nullable=False))
    id: str = Field(sa_column=Column(C_TEXT, nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    last_updated: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    deleted: bool = Field(default=False, nullable=False)
    patient: str | None = Field(default=None, sa_column=Column(C_TEXT))
    patients: list[str] | None = Field(default=None, sa_column=Column(ARRAY(C_TEXT)))
    keys: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    digest: int = Field(sa_column=Column(BigInteger, nullable=False))
    confidentiality: int = Field(sa_column=Column(SmallInteger, nullable=False))
    labels: list[str] | None = Field(default=None, sa_column=Column(ARRAY(C_TEXT)))
    seals: list[str] | None = Field(default=None, sa_column=Column(ARRAY(C_TEXT)))
    traits: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    lo: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    hi: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    body: str | None = Field(default=None, sa_column=Column(TEXT))
    pointers: list[str] | None = Field(default=None, sa_column=Column(ARRAY(C_TEXT)))


class ResourceVersion(SQLModel, table=True):
    """One version of a resource with its labels, never rewritten; a deletion has no body."""

    __tablename__ = "resource_version"
    __table_args__ = (
        Index("resource_version_changes", "type", "last_updated", "rid", "version"),
        Index("resource_version_system", "last_updated", "rid", "version"),
    )
    rid: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    type: str = Field(sa_column=Column(C_TEXT, nullable=False))
    last_updated: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    method: str = Field(sa_column=Column(Text, nullable=False))
    patient: str | None = Field(default=None, sa_column=Column(C_TEXT))
    patients: list[str] | None = Field(default=None, sa_column=Column(ARRAY(C_TEXT)))
    confidentiality: int = Field(sa_column=Column(SmallInteger, nullable=False))
    labels: list[str] | None = Field(default=None, sa_column=Column(ARRAY(C_TEXT)))
    seals: list[str] | None = Field(default=None, sa_column=Column(ARRAY(C_TEXT)))
    body: str | None = Field(default=None, sa_column=Column(TEXT))
    pointers: list[str] | None = Field(default=None, sa_column=Column(ARRAY(C_TEXT)))


class IndexReference(SQLModel, table=True):
    """A reference of a resource under a parameter; `target` is "Type/id" or an absolute URL."""

    __tablename__ = "index_reference"
    __table_args__ = (Index("index_reference_rid", "rid", "param"),)
    target: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    param: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    rid: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))


class IndexDate(SQLModel, table=True):
    """The half-open range [lo, hi) of instants that a date value of a resource covers.

    `is_least` marks the one row that a resource is sorted by under a parameter, `is_greatest` the
    one when descending: by lo, or by what is folded.
    """

    __tablename__ = "index_date"
    __table_args__ = (
        Index("index_date_rid", "rid", "param"),
        Index("index_date_lo", "param", "lo", "rid", postgresql_include=["hi"]),
        Index("index_date_hi", "param", "hi", "rid"),
    )
    __mapper_args__ = {"primary_key": ["rid", "param", "lo", "hi"]}
    rid: int = Field(sa_column=Column(BigInteger, nullable=False))
    param: int = Field(sa_column=Column(Integer, nullable=False))
    lo: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    hi: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    is_least: bool = Field(nullable=False)
    is_greatest: bool = Field(nullable=False)


class IndexString(SQLModel, table=True):
    """A string: `folded` without case, accents and punctuation, `exact` as written."""

    __tablename__ = "index_string"
    __table_args__ = (
        Index("index_string_rid", "rid", "param"),
        Index(
            "index_string_folded",
            *("param", "folded", "rid"),
            postgresql_include=["is_least", "is_greatest"],
        ),
    )
    __mapper_args__ = {"primary_key": ["rid", "param", "folded", "exact"]}
    rid: int = Field(sa_column=Column(BigInteger, nullable=False))
    param: int = Field(sa_column=Column(Integer, nullable=False))
    folded: str = Field(sa_column=Column(C_TEXT, nullable=False))
    exact: str = Field(sa_column=Column(C_TEXT, nullable=False))
    is_least: bool = Field(nullable=False)
    is_greatest: bool = Field(nullable=False)


class IndexNumber(SQLModel, table=True):
    """The range [lo, hi] of a number or quantity; `units` hash system and code."""

    __tablename__ = "index_number"
    __table_args__ = (
        Index("index_number_rid", "rid", "param"),
        Index("index_number_lo", "param", "lo", "rid"),
    )
    __mapper_args__ = {"primary_key": ["rid", "param", "lo", "hi", "units"]}
    rid: int = Field(sa_column=Column(BigInteger, nullable=False))
    param: int = Field(sa_column=Column(Integer, nullable=False))
    lo: Any = Field(sa_column=Column(Numeric))
    hi: Any = Field(sa_column=Column(Numeric))
    units: list[int] | None = Field(default=None, sa_column=Column(ARRAY(BigInteger)))
    is_least: bool = Field(nullable=False)
    is_greatest: bool = Field(nullable=False)


class AuditEvent(SQLModel, table=True):
    """An AuditEvent, append-only: the columns of `resource`, so that `visible` can read it.

    No rows in index_*: `targets` hashes what its reference parameters point to. `keys` has no
    index, since no token of an event narrows a search as its target or its date does.
    """

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("audit_event_targets", "targets", postgresql_using="gin"),
        Index("audit_event_last_updated", "last_updated", "rid"),
    )
    rid: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    type: str = Field(sa_column=Column(C_TEXT, nullable=False, server_default="AuditEvent"))
    id: str = Field(sa_column=Column(C_TEXT, nullable=False, unique=True))
    version: int = Field(sa_column=Column(Integer, nullable=False, server_default="1"))
    last_updated: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    deleted: bool = Field(
        default=False, nullable=False, sa_column_kwargs={"server_default": "false"}
    )
    patient: str | None = Field(default=None, sa_column=Column(C_TEXT))
    patients: list[str] | None = Field(default=None, sa_column=Column(ARRAY(C_TEXT)))
    keys: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    targets: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    body: str = Field(sa_column=Column(TEXT, nullable=False))


class Client(SQLModel, table=True):
    """A registered OAuth client (RFC 7591), and what it may do. `secret_hash` is argon2id."""

    __tablename__ = "client"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    scope: str = Field(sa_column=Column(Text, nullable=False))
    role: str = Field(sa_column=Column(Text, nullable=False))
    organization: str | None = Field(default=None, sa_column=Column(C_TEXT))
    purpose: str | None = Field(default=None, sa_column=Column(Text))
    auth_method: str = Field(sa_column=Column(Text, nullable=False))
    secret_hash: str | None = Field(default=None, sa_column=Column(Text))
    jwks: Any = Field(default=None, sa_column=Column(JSONB))
    jwks_url: str | None = Field(default=None, sa_column=Column(Text))
    redirect_uris: list[str] = Field(
        sa_column=Column(ARRAY(Text), nullable=False, server_default="{}")
    )
    require_pushed_authorization_requests: bool = Field(
        sa_column=Column(Boolean, nullable=False, server_default=text("false"))
    )
    dpop_bound_access_tokens: bool = Field(
        sa_column=Column(Boolean, nullable=False, server_default=text("false"))
    )
    created: datetime = Field(
        sa_column=Column(INSTANT, nullable=False, server_default=text("now()"))
    )


class Account(SQLModel, table=True):
    """A person who can sign in, with one FHIR identity and role. `password_hash` is argon2id.

    `subject` is what apps know the person by, for good (OpenID Connect `sub`).
    """

    __tablename__ = "account"
    username: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    subject: str = Field(
        sa_column=Column(
            C_TEXT, nullable=False, unique=True, server_default=text("(gen_random_uuid())::text")
        )
    )
    password_hash: str = Field(sa_column=Column(Text, nullable=False))
    fhir_user: str = Field(sa_column=Column(C_TEXT, nullable=False))
    role: str = Field(sa_column=Column(Text, nullable=False))
    organization: str | None = Field(default=None, sa_column=Column(C_TEXT))
    created: datetime = Field(
        sa_column=Column(INSTANT, nullable=False, server_default=text("now()"))
    )


class SigningKey(SQLModel, table=True):
    """A private key that signs access tokens; shared by all workers through the database."""

    __tablename__ = "signing_key"
    kid: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    alg: str = Field(sa_column=Column(Text, nullable=False))
    jwk: Any = Field(sa_column=Column(JSONB, nullable=False))
    created: datetime = Field(
        sa_column=Column(INSTANT, nullable=False, server_default=text("now()"))
    )


class UsedAssertion(SQLModel, table=True):
    """A client assertion that was presented; its (issuer, jti) is refused until `expires`."""

    __tablename__ = "used_assertion"
    issuer: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    jti: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    expires: datetime = Field(sa_column=Column(INSTANT, nullable=False, index=True))


class RevokedToken(SQLModel, table=True):
    """An access token revoked before its time, by its jti."""

    __tablename__ = "revoked_token"
    jti: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    expires: datetime = Field(sa_column=Column(INSTANT, nullable=False, index=True))


class SharedSecret(SQLModel, table=True):
    """A secret that all workers share, such as the key that seals page links."""

    __tablename__ = "shared_secret"
    name: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    value: bytes = Field(sa_column=Column(BYTEA, nullable=False))
