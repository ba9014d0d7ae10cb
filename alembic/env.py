"""Runs the migrations over asyncpg, on the database app/storage/migrate.py names."""

import asyncio

import asyncpg
from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from app.storage.tables import Resource


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Resource.metadata)
    with context.begin_transaction():
        context.run_migrations()


async def migrate(dsn: str) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn, timeout=5)
    )
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


asyncio.run(migrate(context.config.attributes["dsn"]))
