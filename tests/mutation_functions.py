"""`python -m tests.mutation_functions`: as tests.mutation, for the functions in the database.

They are part of what `visible` asks. Each condition of theirs is made constant in the database that
the cases and worlds are in, and in that which the tests use. docs/mutation.md has what came of it.
"""

import asyncio
import os
import tempfile
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import asyncpg

from app.storage.embedded import embedded
from tests.conftest import FAST, named, new_database
from tests.mutation import BROKEN, KILLED, MUTANTS, NO_SQL, ROOT, Check, prepared, run, say, stored
from tests.sql_mutants import changes

MIGRATIONS = {
    "0003_create_relationship": ("RULE_NAMES",),
    "0017_weigh_in_functions": ("IS_WITHIN", "IS_SPARED", "WEIGHS"),
    "0020_stand_alone": ("OWN_OF", "STANDING_OF"),
}
TESTS = (
    "tests/http/test_consent_conditions.py",
    "tests/http/test_consent_history.py",
    "tests/http/test_audit_consents_extent.py",
    "tests/http/test_consent_named.py",
    "tests/consent/test_later.py",
)
WORLDS = 200
LONGEST = "10s"
"""For one statement: a loop that lost its end is found out, too."""


def functions() -> dict[str, str]:
    """The functions by name, as the migrations make them."""
    made: dict[str, str] = {}
    for file, names in MIGRATIONS.items():
        spec = spec_from_file_location(file, ROOT / "alembic" / "versions" / f"{file}.py")
        assert spec
        assert spec.loader
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        made |= {name: getattr(module, name) for name in names}
    return made


async def define(places: Sequence[str], function: str) -> None:
    """The function is this one in these databases, from now on."""
    for dsn in places:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(f"ALTER ROLE CURRENT_USER SET statement_timeout = '{LONGEST}'")
            await connection.execute(function.replace("CREATE ", "CREATE OR REPLACE ", 1))
        finally:
            await connection.close()


def tried(name: str, function: str, check: Check, places: Sequence[str]) -> None:
    """Try the mutants of a function, and print what came."""
    counts: dict[str, int] = {}
    for what, new in changes(function):
        try:
            asyncio.run(define(places, new))
            result = run(lambda: None, check, TESTS)
        except NO_SQL:
            result = BROKEN
        counts[result] = counts.get(result, 0) + 1
        if result != KILLED:
            say(f"  {result} {name} always {what}")
    asyncio.run(define(places, function))
    say(f"{name}: {counts}")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="isp-mutation-") as data:
        os.environ["ISP_TEST_DATA_DIR"] = data
        with embedded(Path(data), FAST) as server:
            dsn = asyncio.run(new_database(server, "isp_mutation"))
            check = asyncio.run(stored(dsn, WORLDS))
            asyncio.run(prepared(server))
            for name, function in functions().items():
                tried(name, function, check, (dsn, named(server, MUTANTS)))


if __name__ == "__main__":
    main()
