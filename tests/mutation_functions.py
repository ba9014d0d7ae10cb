"""`python -m tests.mutation_functions`: as tests.mutation, for the functions in the database.

`standing_of` and `rule_names` are part of what `visible` asks. Each condition of theirs is made
constant in the database that the cases and worlds are in. docs/mutation.md has what came of it.
"""

import asyncio
import os
import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import asyncpg

from app.storage.embedded import embedded
from tests.conftest import FAST, new_database
from tests.mutation import KILLED, ROOT, run, stored
from tests.sql_mutants import changes

MIGRATION = ROOT / "alembic" / "versions" / "0003_create_relationship.py"
FUNCTIONS = ("STANDING_OF", "RULE_NAMES")
WORLDS = 600
LONGEST = "10s"
"""For one statement: a loop that lost its end is found out, too."""


def functions() -> dict[str, str]:
    """The functions by name, as the migration makes them."""
    spec = spec_from_file_location("migration", MIGRATION)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: getattr(module, name) for name in FUNCTIONS}


async def define(dsn: str, function: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"ALTER ROLE CURRENT_USER SET statement_timeout = '{LONGEST}'")
        await connection.execute(function.replace("CREATE ", "CREATE OR REPLACE ", 1))
    finally:
        await connection.close()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="isp-mutation-") as data:
        os.environ["ISP_TEST_DATA_DIR"] = data
        with embedded(Path(data), FAST) as server:
            dsn = asyncio.run(new_database(server, "isp_mutation"))
            check = asyncio.run(stored(dsn, WORLDS))
            for name, function in functions().items():
                counts: dict[str, int] = {}
                for what, new in changes(function):
                    asyncio.run(define(dsn, new))
                    result = run(lambda: None, check, ())
                    counts[result] = counts.get(result, 0) + 1
                    if result != KILLED:
                        sys.stdout.write(f"  {result} {name} always {what}\n")
                asyncio.run(define(dsn, function))
                sys.stdout.write(f"{name}: {counts}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
