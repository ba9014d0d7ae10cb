from pathlib import Path

import pytest

from app.isp.check import check, score
from app.isp.plan import assemble
from app.isp.rules import profiles
from app.isp.rules.documentation import documentation
from app.isp.rules.profiles import Profile, available, profile
from app.isp.rules.rule import LEVELS
from app.isp.rules.table import RULES, SECTIONS
from tests.isp.breaking.change import set_
from tests.worlds.poor import zed
from tests.worlds.whole import TODAY, whole

CHECKS = {f"C{number:02}" for number in range(1, 65)}


def rank(rules: Profile, id_: str) -> int:
    return LEVELS.index(rules.severities[id_])


def test_the_table_holds_all_sixty_four_checks_once() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)
    assert set(ids) >= CHECKS
    assert {rule.section for rule in RULES} == set(SECTIONS)


def test_every_row_says_what_to_write_and_where_it_comes_from() -> None:
    for rule in RULES:
        assert rule.write.endswith("."), rule.id
        assert rule.origin.startswith(("R", "42 CFR", "12VAC")), rule.id
        assert "{" not in rule.write.format_map(profile().limits)


@pytest.mark.parametrize("name", available())
def test_a_profile_names_only_checks_and_limits_that_exist(name: str) -> None:
    layer = profiles._read(name)
    named = [id_ for level in LEVELS for id_ in layer.get(level, ())]
    assert len(set(named)) == len(named)
    assert set(named) <= {rule.id for rule in RULES}
    assert set(layer.get("limits", {})) <= set(profile("therapy").limits)
    assert layer["title"]
    assert layer["source"]


def test_every_check_is_asked_for_by_some_profile() -> None:
    asked = {
        id_
        for name in available()
        for id_, level in profile(name).severities.items()
        if level != "off"
    }
    assert asked == {rule.id for rule in RULES}


@pytest.mark.parametrize(
    ("lax", "strict"),
    [("therapy", "core"), *(("core", one) for one in ("hcbs", "oh-bh", "va", "icf-iid", "ny"))]
    + [(name, f"{name},part2") for name in available() if name != "part2"],
)
def test_a_profile_takes_nothing_more_lightly_than_what_it_builds_on(lax: str, strict: str) -> None:
    below, above = profile(lax), profile(strict)
    assert all(rank(below, rule.id) <= rank(above, rule.id) for rule in RULES)
    periods = ("review_months", "plan_months", "note_days", "assessment_months")
    assert all(below.limits[one] >= above.limits[one] for one in periods)


def test_the_stricter_source_is_the_default() -> None:
    assert profile().limits["review_months"] == 6
    assert profile().limits["plan_months"] == 12


@pytest.mark.parametrize("name", available())
def test_an_overdue_goal_is_never_more_than_information(name: str) -> None:
    assert profile(name).severities["C29-overdue"] == "information"


def test_a_profile_cannot_make_an_overdue_goal_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = {"title": "harsh", "extends": None, "limits": {}, "error": ["C29-overdue", "C12"]}
    monkeypatch.setattr(profiles, "_read", lambda _: layer)
    made = profile.__wrapped__("harsh")
    assert (made.severities["C29-overdue"], made.severities["C12"]) == ("information", "error")


@pytest.mark.parametrize("name", ["therapy", "core", "hcbs"])
def test_a_diagnosis_is_not_asked_for(name: str) -> None:
    assert profile(name).severities["C16"] == "off"


def test_an_overlay_alone_is_laid_on_the_core() -> None:
    assert profile("part2") == profile("core,part2")
    assert profile("").name == profile(" core ").name == "core"


@pytest.mark.parametrize("name", ["atlantis", "core,atlantis", "../core"])
def test_rules_that_do_not_exist_are_named(name: str) -> None:
    with pytest.raises(LookupError, match="there are no rules"):
        profile(name)


@pytest.mark.parametrize("name", available())
def test_scores_go_from_nothing_to_all(name: str) -> None:
    rules = profile(name)
    good = score(check(assemble(whole().all(), "ada"), rules, TODAY), rules)
    bad = score(check(assemble(zed().all(), "zed"), rules, TODAY), rules)
    assert set(good) == set(bad) <= set(SECTIONS)
    assert all(0 <= percent <= 100 for percent in (*good.values(), *bad.values()))
    assert sum(good.values()) > sum(bad.values())


def test_a_limit_of_the_profile_moves_the_check() -> None:
    world = whole()
    set_("Task/ada-review-2026-02-27", restriction={"period": {"end": "2025-11-28"}})(world)
    plan = assemble(world.all(), "ada")
    late = {one.id for one in check(plan, profile("va"), TODAY)}
    assert "C55" in late
    assert "C53" not in late


def test_the_page_of_checks_is_the_table_of_checks() -> None:
    """To write it anew, print what documentation() of app/isp/rules/documentation.py returns."""
    page = Path(__file__).parents[2] / "docs" / "operations" / "isp-checks.md"
    assert page.read_text("utf-8") == documentation() + "\n"
