"""The table that seals the audit trail: written by the sealer, read by `isp audit verify`."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Column, Integer
from sqlalchemy.dialects.postgresql import BYTEA
from sqlmodel import Field, SQLModel

from app.storage.permission_tables import INSTANT


class AuditSeal(SQLModel, table=True):
    """A link of the chain over `audit_event`: the events with after_rid < rid <= last_rid.

    `digests` holds 32 bytes for each of `rids`, `root` is their SHA-256, `digest` that of this seal
    with the one before it. What was expired has neither rids nor digests.
    """

    __tablename__ = "audit_seal"
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    previous: bytes = Field(sa_column=Column(BYTEA, nullable=False))
    after_rid: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_rid: int = Field(sa_column=Column(BigInteger, nullable=False))
    events: int = Field(sa_column=Column(Integer, nullable=False))
    root: bytes = Field(sa_column=Column(BYTEA, nullable=False))
    sealed: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    digest: bytes = Field(sa_column=Column(BYTEA, nullable=False))
    rids: list[int] | None = Field(default=None, sa_column=Column(ARRAY(BigInteger)))
    digests: bytes | None = Field(default=None, sa_column=Column(BYTEA))
