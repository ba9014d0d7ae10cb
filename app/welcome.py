"""The demonstration: two people's plans, a client that may see one of them, and how to ask."""

import os
from datetime import UTC, datetime
from pathlib import Path

from app.auth.authority import Authority
from app.auth.clients import Registration, create_client, find_client
from app.auth.users import issue_for
from app.fhir.engine import Engine
from app.isp.demonstration import bundles
from app.loading import load
from app.reading import items
from app.settings import Settings

CLIENT = "demo-ehr"
ORGANIZATION = "Organization/wren-county-behavioral-health"
SCOPE = "system/*.rs"
PATIENT = "maria-alvarez"


async def demonstrate(engine: Engine) -> int:
    """Load the demonstration; how many resources were refused."""
    today = datetime.now(UTC).date()
    stored = (
        item
        for number, bundle in enumerate(bundles(today))
        for item in items(f"demonstration {number}", number, bundle, engine.base_url)
    )
    return len((await load(engine, stored)).refused)
