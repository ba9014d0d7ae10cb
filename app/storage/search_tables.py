"""The tables of what only some searches ask for; the others are in tables.py."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Index,
    Integer,
    Numeric,
    Text,
    func,
    literal_column,
)
from sqlmodel import Field, SQLModel

from app.storage.permission_tables import C_TEXT, INSTANT


class IndexComposite(SQLModel, table=True):
    """One element of a resource under a composite parameter, with all it is asked for together.

    `tokens` hash its codes and references; lo, hi and units are its quantity or number as in
    index_number, [starts, ends) its date, folded and exact its text; each null where it has none.
    """

    __tablename__ = "index_composite"
    __table_args__ = (Index("index_composite_rid", "rid", "param"),)
    row: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    rid: int = Field(sa_column=Column(BigInteger, nullable=False))
    param: int = Field(sa_column=Column(Integer, nullable=False))
    tokens: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    lo: Any = Field(sa_column=Column(Numeric))
    hi: Any = Field(sa_column=Column(Numeric))
    units: list[int] | None = Field(default=None, sa_column=Column(ARRAY(BigInteger)))
    starts: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    ends: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    folded: str | None = Field(default=None, sa_column=Column(C_TEXT))
    exact: str | None = Field(default=None, sa_column=Column(C_TEXT))


class IndexText(SQLModel, table=True):
    """The words of a resource, without accents: of its narrative, and all of them."""

    __tablename__ = "index_text"
    __table_args__ = tuple(
        Index(
            f"index_text_{column}",
            func.to_tsvector(literal_column("'english'"), literal_column(column)),
            postgresql_using="gin",
        )
        for column in ("narrative", "content")
    )
    rid: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    narrative: str = Field(sa_column=Column(Text, nullable=False))
    content: str = Field(sa_column=Column(Text, nullable=False))
