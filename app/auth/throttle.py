"""How often somebody may try to sign in: counted in the database, for all workers together.

https://pages.nist.gov/800-63-4/sp800-63b.html#throttle
"""

import ipaddress

from app.auth.handles import digest
from app.storage.database import Database

WINDOW = 900
"""Seconds after the first attempt in which the others are counted."""

PER_ACCOUNT, PER_ADDRESS = 10, 100
"""Attempts in that time, at most. Who signs in is not counted."""

MAILS = 3
"""Mails that one name or address is sent in that time."""

CODES = 5
"""Second factors that are judged for an account in that time: of a million codes three are good."""

REGISTRATIONS = 20
"""Clients that one address may ask to have registered in that time."""


async def may_try(database: Database, username: str, address: str | None) -> bool:
    """Count one attempt, before it is judged, so that no two count as one; whether it may go on."""
    from_address = await _count(database, _network(address)) <= PER_ADDRESS
    return from_address and await _count(database, f"account {username}") <= PER_ACCOUNT


async def may_ask_for_mail(database: Database, named: str, address: str | None) -> bool:
    """Count one request for a mail, known name or not; whether it may go on."""
    from_address = await _count(database, f"mail {_network(address)}") <= REGISTRATIONS
    return from_address and await _count(database, f"mail to {named.lower()}") <= MAILS


async def may_try_code(database: Database, subject: str) -> bool:
    """Count one code for an account; whether it may be judged."""
    return await _count(database, f"code {subject}") <= CODES


async def proved_code(database: Database, subject: str) -> None:
    """Forget the codes of an account that gave a good one."""
    key = digest(f"code {subject}")
    await database.execute("DELETE FROM sign_in_throttle WHERE key = $1", key)


async def may_register(database: Database, address: str | None) -> bool:
    """Count one request to be registered; whether it may go on."""
    return await _count(database, f"registration {_network(address)}") <= REGISTRATIONS


async def succeeded(database: Database, username: str, address: str | None) -> None:
    """Forget the attempts of an account that signed in, and this one of the address."""
    key = digest(f"account {username}")
    await database.execute("DELETE FROM sign_in_throttle WHERE key = $1", key)
    await database.execute(
        "UPDATE sign_in_throttle SET attempts = attempts - 1 WHERE key = $1",
        digest(_network(address)),
    )


async def _count(database: Database, key: str) -> int:
    attempts: int = await database.fetchval(
        "INSERT INTO sign_in_throttle AS t (key, attempts, expires)"
        " VALUES ($1, 1, now() + make_interval(secs => $2)) ON CONFLICT (key) DO UPDATE SET"
        " attempts = CASE WHEN t.expires < now() THEN 1 ELSE t.attempts + 1 END,"
        " expires = CASE WHEN t.expires < now() THEN excluded.expires ELSE t.expires END"
        " RETURNING attempts",
        digest(key),
        WINDOW,
    )
    return attempts


def _network(address: str | None) -> str:
    """Who has one IPv6 address has 2^64 of them."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "address unknown"
    if ip.version == 4:
        return f"address {ip}"
    return f"address {ipaddress.ip_network((ip, 64), strict=False)}"
