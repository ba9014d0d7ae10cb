"""The role the server works as in PostgreSQL: it reads and appends, and cannot rewrite the past.

Who owns the tables migrates them; the server needs less. https://www.postgresql.org/docs/18/ddl-priv.html
"""

from collections.abc import Iterator, Mapping

import asyncpg

from app.settings import SERVICE_ROLE

APPEND = frozenset({"SELECT", "INSERT"})
KEEP = APPEND | {"UPDATE"}
REPLACE = APPEND | {"DELETE"}
USUAL = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})

PRIVILEGES: Mapping[str, frozenset[str]] = {
    "alembic_version": frozenset({"SELECT"}),
    "audit_event": APPEND,
    "audit_seal": APPEND,
    "resource": KEEP,
    "resource_version": APPEND,
    "index_reference": REPLACE,
    "index_date": REPLACE,
    "index_string": REPLACE,
    "index_number": REPLACE,
    "relationship": REPLACE,
    "affiliation": REPLACE,
    "consent_rule": REPLACE,
    "index_composite": REPLACE,
    "client": REPLACE,
    "account": APPEND,
    "signing_key": REPLACE,
    "shared_secret": APPEND,
    "used_assertion": REPLACE,
    "revoked_token": REPLACE,
}
"""What the role may do with a table; with one that is not named here, USUAL."""

SEQUENCE = frozenset({"SELECT", "USAGE"})

GRANTED = """
SELECT c.relname AS name, c.relkind::text = 'S' AS is_sequence,
  coalesce((SELECT array_agg(a.privilege_type) FROM aclexplode(c.relacl) AS a
            JOIN pg_roles AS r ON r.oid = a.grantee AND r.rolname = $1), '{}') AS granted
FROM pg_class AS c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'S')
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


class NotOwner(RuntimeError):
    """Tables, the role or its privileges have to change, and we are not the one who can do that."""


async def check_owner(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Raises NotOwner unless this database user can make tables."""
    sql = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
    if not await connection.fetchval(sql):
        raise NotOwner(
            "the tables are of another version and this database user may not change them: run"
            " `isp migrate` with an ISP_DATABASE_URL of their owner"
        )


async def missing(
    connection: "asyncpg.Connection[asyncpg.Record]", role: str = SERVICE_ROLE
) -> list[str]:
    """The statements that bring the privileges of the role to what they should be."""
    found = await connection.fetch(GRANTED, role)
    return [
        statement
        for row in found
        for statement in _changes(row["name"], row["is_sequence"], {*row["granted"]}, role)
    ]


async def establish(
    connection: "asyncpg.Connection[asyncpg.Record]", role: str = SERVICE_ROLE
) -> None:
    """Make the role if it is not there, and let it do what it should, no less and no more.

    Only one process at a time may be in here. Raises NotOwner.
    """
    try:
        if not await _exists(connection, role):
            await _create(connection, role)
        for statement in await missing(connection, role):
            await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError as error:
        raise NotOwner(
            f"this database user may not set up the role {role} ({error}): run `isp migrate` with"
            " an ISP_DATABASE_URL of the tables' owner, who may create roles, or create it first:"
            f" CREATE ROLE {role}; GRANT {role} TO <owner>"
        ) from error


async def is_established(
    connection: "asyncpg.Connection[asyncpg.Record]", role: str = SERVICE_ROLE
) -> bool:
    """Whether nothing is left for `establish` to do."""
    return await _exists(connection, role) and not await missing(connection, role)


async def _exists(connection: "asyncpg.Connection[asyncpg.Record]", role: str) -> bool:
    sql = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
    return bool(await connection.fetchval(sql, role))


async def _create(connection: "asyncpg.Connection[asyncpg.Record]", role: str) -> None:
    """Roles belong to the whole server: another database of it may be faster."""
    try:
        # It has no password, so that nobody logs in as it over a network until it is given one.
        await connection.execute(f"CREATE ROLE {role} LOGIN")
        await connection.execute(f"GRANT {role} TO CURRENT_USER")
    except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
        return


def _changes(name: str, is_sequence: bool, granted: set[str], role: str) -> Iterator[str]:
    wanted = SEQUENCE if is_sequence else PRIVILEGES.get(name, USUAL)
    kind = "SEQUENCE" if is_sequence else "TABLE"
    if granted - wanted:
        yield f"REVOKE {', '.join(sorted(granted - wanted))} ON {kind} {name} FROM {role}"
    if wanted - granted:
        yield f"GRANT {', '.join(sorted(wanted - granted))} ON {kind} {name} TO {role}"
