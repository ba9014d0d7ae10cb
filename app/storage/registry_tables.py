"""The tables of the search parameters that operators register."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Text
from sqlmodel import Field, SQLModel

from app.storage.permission_tables import C_TEXT, INSTANT


class RegisteredParameter(SQLModel, table=True):
    """What an active SearchParameter (`rid`) says of one of its base types; follows from it.

    `definition` is JSON: type, expression, url, documentation, target.
    """

    __tablename__ = "search_parameter"
    rid: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    base: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    code: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    definition: str = Field(sa_column=Column(C_TEXT, nullable=False))


class SearchIndex(SQLModel, table=True):
    """How far the resources of a type were looked at for a registered parameter.

    `definition` is what they are looked at for, "" where its traces are taken away; `position` the
    last id, "" at the beginning, null where earlier writers may still be at work; `indexed` how
    many there were; `done` when it was through.
    """

    __tablename__ = "search_index"
    base: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    code: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    definition: str = Field(sa_column=Column(C_TEXT, nullable=False))
    position: str | None = Field(default=None, sa_column=Column(C_TEXT))
    indexed: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    done: datetime | None = Field(default=None, sa_column=Column(INSTANT))


class SearchRegistry(SQLModel, table=True):
    """The one row whose `stamp` changes with every change of what is registered or indexed."""

    __tablename__ = "search_registry"
    name: str = Field(sa_column=Column(Text, primary_key=True))
    stamp: str = Field(sa_column=Column(C_TEXT, nullable=False))
