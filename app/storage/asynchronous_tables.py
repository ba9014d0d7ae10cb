"""The tables of requests that are answered later: who asked, what is still to do, what came of it.

Three, because each is written by somebody else at the same time: a request is cancelled while its
work is locked by whoever does it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, SmallInteger, Text, text
from sqlmodel import Field, SQLModel

from app.storage.permission_tables import C_TEXT, INSTANT


def _now() -> Any:
    return Field(sa_column=Column(INSTANT, nullable=False, server_default=text("now()")))


class AsynchronousRequest(SQLModel, table=True):
    """Who asked for what, and how far it is; `steps` is how many answers there will be.

    The row goes away after `expires`, and its answers with it.
    """

    __tablename__ = "asynchronous_request"
    id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    client: str = Field(sa_column=Column(C_TEXT, nullable=False, index=True))
    username: str | None = Field(default=None, sa_column=Column(C_TEXT))
    organization: str | None = Field(default=None, sa_column=Column(C_TEXT))
    interaction: str = Field(sa_column=Column(C_TEXT, nullable=False))
    steps: int = Field(sa_column=Column(Integer, nullable=False))
    attempts: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    created: datetime = _now()
    completed: datetime | None = Field(default=None, sa_column=Column(INSTANT))
    expires: datetime = Field(sa_column=Column(INSTANT, nullable=False, index=True))


class AsynchronousWork(SQLModel, table=True):
    """What was asked and by whom, as JSON, until it is done; locked by whoever does it.

    `queued` is when it was asked for, or when the last piece of it was done.
    """

    __tablename__ = "asynchronous_work"
    request: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    asked: str = Field(sa_column=Column(Text, nullable=False))
    queued: datetime = Field(
        sa_column=Column(INSTANT, nullable=False, server_default=text("now()"), index=True)
    )


class AsynchronousAnswer(SQLModel, table=True):
    """A Bundle.entry of the answer, as JSON; `level` is the highest confidentiality in it."""

    __tablename__ = "asynchronous_answer"
    request: str = Field(
        sa_column=Column(
            C_TEXT, ForeignKey("asynchronous_request.id", ondelete="CASCADE"), primary_key=True
        )
    )
    position: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    content: str = Field(sa_column=Column(Text, nullable=False))
    level: int | None = Field(default=None, sa_column=Column(SmallInteger))
