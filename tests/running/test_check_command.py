"""`isp check FILE`, offline."""

import json
from pathlib import Path

from typer.testing import CliRunner

from app.cli import main
from tests.worlds.poor import zed
from tests.worlds.whole import whole
from tests.worlds.world import World

runner = CliRunner()


def written(folder: Path, world: World) -> str:
    entries = [{"resource": one} for one in world.all()]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    path = folder / f"{world.who}.json"
    path.write_text(json.dumps(bundle))
    return str(path)


def test_a_whole_plan_is_ready_to_sign(tmp_path: Path) -> None:
    done = runner.invoke(main, ["check", written(tmp_path, whole()), "--date", "2026-01-05"])
    assert done.exit_code == 0, done.output
    assert "Judged by core on 2026-01-05." in done.output
    assert "goals: 100 %" in done.output
    assert done.output.endswith("Ready to sign.\n")


def test_a_poor_plan_is_told_what_to_write(tmp_path: Path) -> None:
    path = written(tmp_path, zed())
    done = runner.invoke(main, ["check", path, "--rules", "hcbs", "--date", "2026-01-05"])
    assert done.exit_code == 1
    assert "C12" in done.output
    assert "Goal/comply target" in done.output
    assert "Write down at least one strength" in done.output
    assert done.output.endswith("Not ready to sign.\n")


def test_wrong_rules_and_wrong_files_are_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    for arguments, said in (
        ([written(tmp_path, whole()), "--rules", "atlantis"], "there are no rules atlantis"),
        ([str(wrong)], "Send the plan as a Bundle"),
        ([str(tmp_path / "none.json")], "cannot be read"),
    ):
        done = runner.invoke(main, ["check", *arguments])
        assert done.exit_code == 2
        assert said in done.output
