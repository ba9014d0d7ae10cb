"""The table that tells how far the labels of what is stored follow the rules of this program."""

from datetime import datetime

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel

from app.storage.permission_tables import C_TEXT, INSTANT


class Labelling(SQLModel, table=True):
    """One set of rules, by its SHA-256: up to which row they were asked again, and since when all
    were."""

    __tablename__ = "labelling"
    digest: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    after_rid: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    done: datetime | None = Field(default=None, sa_column=Column(INSTANT))
