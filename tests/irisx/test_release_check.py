"""`manage.py release check`: a release with a planted fault is refused, each fault by its name and place."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import migrations, models

from irisx.release.migrations import _destroys
from irisx.release.sources import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "SECRET_KEY": "only-for-checks-that-sign-nothing-and-reach-no-server",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
}


def manage(release: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environ |= {**SETTINGS, "IRISX_STATIC_ROOT": str(release / "static"), "PYTHONDONTWRITEBYTECODE": "", **settings}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=release, env=environ, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def check(release: Path, **settings: str) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    done = manage(release, "release", "check", "--json", **settings)
    report = json.loads(done.stdout)
    assert report["ok"] is (done.returncode == 0), done
    return done.returncode, {entry["name"]: entry["findings"] for entry in report["checks"]}


def errors(findings: list[dict[str, Any]]) -> list[str]:
    return [f"{finding['where']}: {finding['what']}" for finding in findings if finding["level"] == "error"]


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A folder as the image has it: the packages and manage.py, nothing else."""
    folder = tmp_path / "release"
    folder.mkdir()
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", folder)
    return folder


def test_what_is_built_whole_may_go_out(release: Path) -> None:
    built = manage(release, "collectstatic", "--no-input", "--verbosity", "0")
    assert built.returncode == 0, built.stderr

    status, found = check(release)

    assert {name: errors(findings) for name, findings in found.items() if errors(findings)} == {}
    assert status == 0

    assert any("DEBUG" in line for line in errors(check(release, DEBUG="true")[1]["django"]))

    (release / "static" / "staticfiles.json").unlink()
    table = manage(release, "release", "check")
    assert table.returncode == 1
    assert "static       FAILED" in table.stdout
    assert "run `manage.py collectstatic`" in table.stdout
    assert "must not go out: 1 error." in table.stdout


def test_faults_that_no_start_would_show_are_each_found(release: Path) -> None:
    (release / "billing" / "nobody_imports_me.py").write_text("def broken(:\n    pass\n")
    (release / "chat" / "hidden_task.py").write_text(
        "from celery import shared_task\n\n\n@shared_task\ndef forgotten() -> None: ...\n"
    )
    template = next((release / "irisx" / "templates").rglob("*.html"))
    template.write_text(template.read_text() + "{% if never_closed %}")
    lines = release / "telephony" / "models" / "lines.py"
    lines.write_text(
        lines.read_text().replace("    class Meta", "    planted = models.CharField(max_length=3)\n\n    class Meta", 1)
    )
    celery = release / "irisx" / "celery.py"
    celery.write_text(celery.read_text().replace("irisx.tasks.heartbeat", "irisx.tasks.heartbreak"))

    status, found = check(release, IRISX_NONSENSE="1", IRISX_LOG_LEVEL="loud", DEBUG="maybe")

    assert status == 1
    assert {finding["where"] for finding in found["settings"]} == {"IRISX_NONSENSE", "IRISX_LOG_LEVEL", "DEBUG"}
    assert any(line.startswith("billing/nobody_imports_me.py:1: does not compile") for line in errors(found["sources"]))
    assert any("chat.hidden_task.forgotten" in line for line in errors(found["imports"]))
    assert [line.split(":")[0] for line in errors(found["templates"])] == [str(template.relative_to(release))]
    assert any("planted" in line and line.startswith("telephony") for line in errors(found["migrations"]))
    assert any("irisx.tasks.heartbreak" in line for line in errors(found["tasks"]))


def test_a_missing_module_is_named_with_all_who_need_it(release: Path) -> None:
    (release / "usage" / "rating.py").unlink(missing_ok=True)
    shutil.rmtree(release / "usage" / "rating", ignore_errors=True)

    status, found = check(release)

    assert status == 1
    named = errors(found["sources"])
    assert named
    assert all("imports usage.rating" in line for line in named)
    assert any("Django does not start" in line or "usage.rating" in line for line in errors(found["routes"]))


class TestWhatARunningReleaseSurvives:
    @pytest.mark.parametrize(
        "operation",
        [
            migrations.RemoveField("widget", "name"),
            migrations.DeleteModel("Widget"),
            migrations.RenameField("widget", "name", "title"),
            migrations.RunSQL("ALTER TABLE widgets DROP COLUMN name", ""),
            migrations.RunSQL([("TRUNCATE widgets", None)]),
            migrations.AddField("widget", "colour", models.CharField(max_length=9, default="")),
        ],
        ids=lambda operation: operation.describe(),
    )
    def test_what_takes_something_away_needs_a_mark(self, operation: Any) -> None:
        assert _destroys(operation, set(), is_first=False)

    @pytest.mark.parametrize(
        "operation",
        [
            migrations.AddField("widget", "colour", models.CharField(max_length=9, null=True)),
            migrations.AddField("widget", "colour", models.CharField(max_length=9, db_default="")),
            migrations.RunSQL("CREATE TRIGGER t BEFORE TRUNCATE ON widgets EXECUTE FUNCTION f()", "DROP TABLE widgets"),
            migrations.CreateModel("Other", [("name", models.CharField(max_length=9))]),
        ],
        ids=lambda operation: operation.describe(),
    )
    def test_what_only_adds_needs_none(self, operation: Any) -> None:
        assert not _destroys(operation, set(), is_first=False)

    def test_a_column_of_a_table_made_beside_it_needs_none(self) -> None:
        operation = migrations.AddField("widget", "colour", models.CharField(max_length=9))
        assert not _destroys(operation, {"widget"}, is_first=False)
