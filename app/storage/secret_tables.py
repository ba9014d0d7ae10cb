"""The table of client secrets that were replaced and still count for a while."""

from datetime import datetime

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from app.storage.permission_tables import C_TEXT, INSTANT


class RetiredSecret(SQLModel, table=True):
    """The secret a client had before its present one, as argon2id; it counts until `expires`."""

    __tablename__ = "retired_secret"
    client_id: str = Field(sa_column=Column(C_TEXT, primary_key=True))
    secret_hash: str = Field(sa_column=Column(Text, nullable=False))
    expires: datetime = Field(sa_column=Column(INSTANT, nullable=False, index=True))
