"""Nothing is read but through visible, written but through commit, sent but through disclose."""

import ast
import re
from functools import cache

import pytest

from tests.house.source import Module, modules, strings

STATEMENT = r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|USING)\s+(?:ONLY\s+)?"
SEARCHES = (
    "chain",
    "closure",
    "compile",
    "include",
    "lead",
    "masked",
    "parameters",
    "resolve",
    "several",
    "sort",
)
INDEX = tuple(f"app.fhir.search.{name}." for name in SEARCHES)

# Tables, and the modules whose statements may name them.
MAY_NAME = {
    # consented is the part of visible that asks consents, grounds says why it lets somebody in; a
    # rule may name what a record refers to.
    # alike tells what is as open as what visible has shown, by the marks of both.
    r"resource|resource_version": (
        *("app.fhir.visible.", "app.fhir.consented.", "app.fhir.grounds."),
        *("app.fhir.alike.", "app.fhir.commit."),
    ),
    # audit_target narrows by audit_event.targets, which only that table has.
    r"audit_event": ("app.fhir.visible.", "app.fhir.search.parameters.audit_target."),
    r"relationship|affiliation|consent_rule": (
        "app.fhir.consented.",
        "app.fhir.grounds.",
        "app.fhir.alike.",
    ),
    r"index_\w+": (*INDEX, "app.fhir.consented."),
    r"audit_seal|shared_secret|asynchronous_\w+": (),
    r"client|account|signing_key|used_assertion|revoked_token": ("app.auth.",),
    r"sign_in_\w+|authorization_\w+|launch_context|client_registration": ("app.auth.",),
    r"approval|refresh_token|external_\w+": ("app.auth.",),
    r"account_state|one_time_link|totp|recovery_code|passkey\w*": ("app.auth.",),
    r"client_terms|client_usage": ("app.auth.",),
}

# A name put into a statement is a sub-select of a door; these modules name what they made from one,
# or choose between tables of their own.
MAY_CHOOSE = {
    "app.auth.revocations",
    "app.fhir.alike",
    "app.fhir.commit",
    "app.fhir.known",
    "app.fhir.search.closure",
    "app.fhir.search.compile",
    "app.fhir.search.include",
    "app.fhir.search.lead",
    "app.fhir.search.sort",
    "app.fhir.visible",
}

# Each needs a reason why somebody may see everything; a new one needs a second pair of eyes.
# guard: an invariant is judged on all there is, or two who do not see each other's plans break it.
# named: the trail of an attempt is for the person it was about, whom the caller may not see.
MAY_SEE_EVERYTHING = {
    "app.admission",
    "app.auth.scopes",
    "app.fhir.access",
    "app.fhir.guard",
    "app.fhir.named",
}


def calls(module: Module, name: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name
    ]


def named(text: str, tables: str) -> str | None:
    found = re.search(rf"{STATEMENT}({tables})\b", text, re.IGNORECASE)
    return found[1] if found else None


@cache
def sources(module: Module) -> tuple[str, ...]:
    """The names that hold a sub-select of a door, and the calls that make one."""
    made = {
        ast.unparse(target)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) in ("visible", "versions")
        for target in node.targets
    }
    return (*made, "visible(", "versions(", "like(")


@pytest.mark.parametrize("tables", MAY_NAME)
def test_only_the_doors_name_the_tables(tables: str) -> None:
    wrong = [
        f"{module.where}:{line} names {found}"
        for module in modules()
        if not f"{module.name}.".startswith(("app.storage.", *MAY_NAME[tables]))
        for line, text in strings(module.tree)
        if (found := named(text, tables))
    ]
    assert wrong == []


def chosen(module: Module) -> list[str]:
    """Where a statement of the module names its table by something that is not from a door."""
    return [
        f"{module.where}:{line} {found[0]}"
        for line, text in strings(module.tree)
        for found in re.finditer(STATEMENT + r"\{([^}]*)", text)
        if not found[1].startswith(sources(module))
    ]


def test_a_statement_put_together_starts_from_a_door() -> None:
    found = {
        module.name: wrong
        for module in modules()
        if not module.name.startswith("app.storage.") and (wrong := chosen(module))
    }
    assert {name: wrong for name, wrong in found.items() if name not in MAY_CHOOSE} == {}
    assert set(found) == MAY_CHOOSE


def test_every_search_starts_from_visible() -> None:
    """Search reads records through the door only, and its index only beside them."""
    searches = [m for m in modules() if m.name.startswith("app.fhir.search.")]
    reading = {m.name.rpartition(".")[2] for m in searches if calls(m, "visible")}
    assert reading == {"chain", "closure", "compile", "include", "resolve", "vouched"}


def test_the_search_for_tables_finds_them() -> None:
    for text in ("SELECT 1 FROM resource r", "update audit_event set", "JOIN index_date AS d"):
        assert any(named(text, tables) for tables in MAY_NAME)
    assert not any(named("FROM resources", tables) for tables in MAY_NAME)
    for tables in MAY_NAME:
        assert any(named(text, tables) for m in modules() for _, text in strings(m.tree))


def test_who_may_see_everything_is_written_down() -> None:
    found = {module.name for module in modules() if calls(module, "Everything")}
    assert found <= MAY_SEE_EVERYTHING


def test_only_disclose_makes_disclosed_bytes() -> None:
    found = {module.name for module in modules() if calls(module, "Disclosed")}
    assert found <= {"app.fhir.disclose"}


# What they make holds nothing that was not disclosed to the caller before; each says of what.
MAY_MAKE = {
    "app.fhir.operations.diff",
    "app.isp.operations.chart",
    "app.isp.operations.diff",
    "app.isp.operations.document",
    "app.isp.operations.metrics",
}


def test_only_what_was_kept_for_its_requester_is_disclosed_again() -> None:
    found = {m.name for m in modules() if calls(m, "again")}
    assert found == {"app.fhir.interactions.open_still"}


def test_who_makes_something_of_what_was_disclosed_is_written_down() -> None:
    found = {m.name for m in modules() for name in ("derived", "rendered") if calls(m, name)}
    assert found == MAY_MAKE


@pytest.mark.parametrize(
    ("library", "only"),
    [
        ("jose", {"app.auth.jose"}),
        ("fhir", {"app.fhir.model"}),
        ("lxml", {"app.fhir.xml.read"}),
    ],
)
def test_a_library_has_one_importer(library: str, only: set[str]) -> None:
    found = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
        if name.split(".")[0] == library
    }
    assert found <= only
