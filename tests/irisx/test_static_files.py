"""Static files as production serves them: collected under hashed names, every reference found."""

import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from irisx.local.fingerprint import SOURCES
from irisx.local.interpreters import NO_SERVERS
from irisx.local.testsession import outside_environment

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = [path for app in SOURCES for path in (ROOT / app).rglob("templates/**/*.html")]
PAGE = """
import django
django.setup()
from django.template.loader import render_to_string
print(render_to_string("404.html"))
"""


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an installation whose static files have been collected."""
    environment = outside_environment(os.environ) | NO_SERVERS
    environment |= {
        "SECRET_KEY": secrets.token_hex(32),
        "DJANGO_SETTINGS_MODULE": "irisx.settings",
        "ALLOWED_HOSTS": "irisx.example",
        "IRISX_BASE_URL": "https://irisx.example",
        "IRISX_STATIC_ROOT": str(tmp_path_factory.mktemp("static")),
    }
    run(["manage.py", "collectstatic", "--no-input", "--verbosity", "0"], environment)
    return environment


def run(arguments: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_template_names_files_that_were_collected(production: dict[str, str]) -> None:
    manifest = Path(production["IRISX_STATIC_ROOT"]) / "staticfiles.json"
    collected = json.loads(manifest.read_text())["paths"]
    named = {
        (path.relative_to(ROOT), name)
        for path in TEMPLATES
        for name in re.findall(r"""\{%\s*static\s+["']([^"']+)["']""", path.read_text())
    }
    assert named
    assert [(path, name) for path, name in sorted(named) if name not in collected] == []


def test_a_page_names_them_by_their_hash(production: dict[str, str]) -> None:
    assert re.search(r'href="/static/ui/[\w/]+\.[0-9a-f]{12}\.css"', run(["-c", PAGE], production))
